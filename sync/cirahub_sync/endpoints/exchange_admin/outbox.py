"""Writing: a contact takes several cmdlets, and whatever of them got through is told.

A create is New-MailContact, then Set-MailContact if address lists are not to show it, then
Set-Contact with what the first can't carry. A crash in between, or a
second one that is refused, leaves a contact with our alias, which recovery adopts and completes.
Contacts are named by their alias in every command: one that isn't ours has none of these, and can't
be hit.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence

import msgspec

from cirahub_sync.endpoints.alias import alias_of, made_by_us
from cirahub_sync.endpoints.base import (
    Create,
    Delete,
    Fence,
    Operation,
    Outcome,
    RemoteItem,
    Result,
    Stamp,
    Update,
)
from cirahub_sync.endpoints.exchange_admin import codec
from cirahub_sync.endpoints.exchange_admin.codec import Letter, Values
from cirahub_sync.endpoints.exchange_admin.reader import ContactReader
from cirahub_sync.endpoints.exchange_admin.runner import CmdletRunner, Command, Ending, Ran
from cirahub_sync.errors import CirahubError

_RESULTS = {
    Ending.NOT_FOUND: Result.RETRY,
    Ending.REFUSED: Result.REJECTED,
    Ending.BUSY: Result.RETRY,
    Ending.UNKNOWN: Result.UNKNOWN,
}
"""Of a contact that is there: not being found by one of the cmdlets, it was just made."""
_DONE = Ran(ending=Ending.DONE)


class _Job(msgspec.Struct):
    """An operation on its way."""

    index: int
    operation: Operation
    alias: str
    letter: Letter = Letter({}, {})
    first: Ran = _DONE
    hiding: Ran = _DONE
    """Of a create that address lists are not to show."""
    second: Ran = _DONE

    @property
    def late(self) -> Ran:
        """What followed the first command: what of it did not get through, if anything."""
        return self.hiding if self.hiding.ending is not Ending.DONE else self.second


class Outbox:
    """Sends operations to one tenant."""

    def __init__(
        self, runner: CmdletRunner, reader: ContactReader, fence: Fence, what: str
    ) -> None:
        self._runner = runner
        self._reader = reader
        self._fence = fence
        self._what = what

    async def push(
        self, operations: Sequence[Operation]
    ) -> AsyncGenerator[Sequence[Outcome], None]:
        """Outcomes as they come. An error that concerns the whole place is raised after the
        outcomes of what was on its way."""
        jobs: list[_Job] = []
        for index, operation in enumerate(operations):
            alias = _alias(operation)
            if not self._reader.ours(alias):
                error = "not a contact of this hub, by its alias"
                yield [Outcome(index=index, result=Result.REJECTED, error=error)]
                continue
            letter = Letter({}, {})
            if not isinstance(operation, Delete):
                letter = codec.read_letter(operation.body)
            jobs.append(_Job(index, operation, alias, letter))
        for some in _apart(jobs, self._runner.most):
            outcomes, broken = await self._send(some)
            if outcomes:
                yield outcomes
            if broken is not None:
                raise broken

    async def _send(self, jobs: Sequence[_Job]) -> tuple[list[Outcome], CirahubError | None]:
        ran = await self._runner.write([_first(job) for job in jobs], self._fence)
        broken: CirahubError | None = None
        for job, one in zip(jobs, ran, strict=True):
            job.first = one
        outcomes: list[Outcome] = []
        there: list[_Job] = []
        for job in jobs:
            if job.first.ending is Ending.DONE and not isinstance(job.operation, Delete):
                there.append(job)
            elif job.first.ending is not Ending.REFUSED or not isinstance(job.operation, Create):
                outcomes.append(_alone(job))
        refused = [
            job
            for job in jobs
            if isinstance(job.operation, Create) and job.first.ending is Ending.REFUSED
        ]
        try:
            await self._complete(there)
            held = await self._reader.items([job.alias for job in (*there, *refused)])
        except CirahubError as error:
            broken, held = error, {}
        outcomes += [self._made(job, held.get(job.alias), broken) for job in there]
        for job in refused:
            found = held.get(job.alias)
            outcomes.append(
                self._adopted(job, found)
                if isinstance(found, RemoteItem)
                else await self._why(job, ask=broken is None)
            )
        return outcomes, broken

    async def _complete(self, jobs: Sequence[_Job]) -> None:
        """The other commands of each that has some: what is to be hidden is so first of all."""
        await self._hide(jobs)
        waiting = [(job, _second(job)) for job in jobs]
        left = [(job, values) for job, values in waiting if values]
        for job, _ in left:
            job.second = Ran(ending=Ending.UNKNOWN, why="Set-Contact was not sent")
        await self._set(left)
        unknown = [
            (job, {name: text for name, text in values.items() if name != codec.COUNTRY})
            for job, values in left
            if job.second.ending is Ending.REFUSED and values.get(codec.COUNTRY)
        ]
        # Exchange knows countries by code and by English name; better all the rest than nothing.
        await self._set(unknown)

    async def _hide(self, jobs: Sequence[_Job]) -> None:
        waiting = [
            (job, values)
            for job in jobs
            if isinstance(job.operation, Create) and (values := codec.hiding_parameters(job.letter))
        ]
        if not waiting:
            return
        for job, _ in waiting:
            job.hiding = Ran(ending=Ending.UNKNOWN, why="Set-MailContact was not sent")
        commands = [
            Command("Set-MailContact", {"Identity": job.alias, **values}) for job, values in waiting
        ]
        for (job, _), ran in zip(
            waiting, await self._runner.write(commands, self._fence), strict=True
        ):
            job.hiding = ran

    async def _set(self, jobs: Sequence[tuple[_Job, Values]]) -> None:
        if not jobs:
            return
        commands = [
            Command("Set-Contact", {"Identity": job.alias, **values}) for job, values in jobs
        ]
        for (job, _), ran in zip(
            jobs, await self._runner.write(commands, self._fence), strict=True
        ):
            job.second = ran

    def _made(self, job: _Job, held: RemoteItem | object, broken: CirahubError | None) -> Outcome:
        """Of a contact that the first command has written."""
        created = isinstance(job.operation, Create)
        if not created and not isinstance(held, RemoteItem):
            # What is there can't be seen: looked at again when it is settled.
            return Outcome(index=job.index, result=Result.UNKNOWN, error=job.late.why)
        if not created and job.late.ending is not Ending.DONE:
            result = _RESULTS[job.late.ending]
            wait = job.late.retry_after
            return Outcome(index=job.index, result=result, error=job.late.why, retry_after=wait)
        item = held if isinstance(held, RemoteItem) else self._as_sent(job)
        missing = None
        if job.late.ending is not Ending.DONE:
            missing = Result.RETRY if broken is not None else _RESULTS[job.late.ending]
        if job.late.ending is Ending.DONE and item.etag and item.etag == _etag_before(job):
            # Read where the write has not arrived yet: what it is will show later.
            item = self._as_sent(job) if created else msgspec.structs.replace(item, etag="")
        return Outcome(
            index=job.index,
            result=Result.DONE,
            item=item,
            missing=missing,
            error=job.late.why,
            retry_after=job.late.retry_after,
        )

    def _as_sent(self, job: _Job) -> RemoteItem:
        letter = job.letter
        if job.second.ending is not Ending.DONE:
            sent = codec.new_parameters(job.alias, letter)
            contact = {name: text for name, text in letter.contact.items() if name in sent}
            letter = Letter(letter.mail, contact, letter.hidden)
        if job.hiding.ending is not Ending.DONE:
            letter = msgspec.structs.replace(letter, hidden=False)
        return self._reader.as_sent(job.alias, codec.decode_letter(letter))

    def _adopted(self, job: _Job, held: RemoteItem) -> Outcome:
        """An earlier create of ours took effect after all: what it lacks follows as an update."""
        return Outcome(
            index=job.index,
            result=Result.DONE,
            item=held,
            missing=Result.RETRY,
            error=job.first.why,
        )

    async def _why(self, job: _Job, *, ask: bool) -> Outcome:
        """Of a create that was refused: who has its address, if anybody has."""
        error = job.first.why
        address = job.letter.mail.get("ExternalEmailAddress") or ""
        holder = None
        if ask and address:
            try:
                holder = await self._reader.holder(address)
            except CirahubError as unknown:
                error = f"{error}; who has the address was not found out ({unknown.reason})"
        if holder is not None:
            whose = "a copy of another hub" if made_by_us(holder.alias) else "not made by cirahub"
            error = (
                f"its e-mail address is that of recipient {holder.external_directory_object_id} of "
                f"the tenant, which is {whose} and stays untouched: remove that one, or keep the "
                f"item out by a filter; {error}"
            )
        return Outcome(index=job.index, result=Result.REJECTED, error=error)


def _alias(operation: Operation) -> str:
    if isinstance(operation, Create):
        stamp = Stamp.parse(operation.key)
        return "" if stamp is None else alias_of(stamp)
    return operation.id


def _first(job: _Job) -> Command:
    match job.operation:
        case Create():
            return Command("New-MailContact", codec.new_parameters(job.alias, job.letter))
        case Update():
            values = codec.mail_parameters(job.letter)
            return Command("Set-MailContact", {"Identity": job.alias, **values})
        case Delete():
            return Command("Remove-MailContact", {"Identity": job.alias, "Confirm": False})


def _etag_before(job: _Job) -> str:
    """That the contact had before the last command that changed it."""
    if isinstance(job.operation, Update):
        return job.operation.etag
    followed = _second(job) or codec.hiding_parameters(job.letter)
    made = codec.read_mail_halves(job.first.output) if followed else ()
    return (made[0].when_changed_u_t_c or "") if made else ""


def _second(job: _Job) -> Values:
    if isinstance(job.operation, Create):
        return codec.later_parameters(job.letter)
    return job.letter.contact


def _alone(job: _Job) -> Outcome:
    """What the first command says, where nothing follows it."""
    ran = job.first
    match ran.ending:
        case Ending.DONE:
            result = Result.DONE
        case Ending.NOT_FOUND if isinstance(job.operation, Delete):
            result = Result.DONE
        case Ending.NOT_FOUND if isinstance(job.operation, Update):
            result = Result.GONE
        case other:
            result = _RESULTS[other]
    return Outcome(index=job.index, result=result, error=ran.why, retry_after=ran.retry_after)


def _apart(jobs: Sequence[_Job], most: int) -> Iterable[Sequence[_Job]]:
    """In the order given, but no two of one contact on their way together."""
    some: list[_Job] = []
    for job in jobs:
        if len(some) == most or any(other.alias == job.alias for other in some):
            yield some
            some = []
        some.append(job)
    if some:
        yield some
