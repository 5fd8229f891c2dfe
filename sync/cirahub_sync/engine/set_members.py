"""Members of sets: who joins, who leaves, and who takes part in this pass.

Who ought to be a member is read on a clock of the set's own. What can't be read changes nothing;
and many who are gone at once, or all of them, leave only once a person has approved it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from cirahub_sync.configuration import CalendarTarget, MailboxTarget
from cirahub_sync.engine.context import PassContext, SpokeRun, digest, problem_of, unexpected
from cirahub_sync.engine.guard import DAY
from cirahub_sync.engine.leaver import Content, note
from cirahub_sync.engine.release import release
from cirahub_sync.engine.report import Problem, SetReport
from cirahub_sync.engine.set_reading import Found, Reader, source_key
from cirahub_sync.errors import (
    CirahubError,
    ConfigurationError,
    KeyUnavailableError,
    LeaseLostError,
    StoreError,
    TargetInUseError,
    TargetNotFoundError,
)
from cirahub_sync.spoke_set import MemberState, SpokeSetConfig, member_config, member_uid
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.members import MemberRow, Person, SetRow

CHUNK = 500
"""Members that are made spokes in one go; then the event loop may do something else."""


async def enlist(context: PassContext) -> None:
    """Bring the sets' members up to date, and have those take part who can."""
    if not context.sets:
        return
    rows = _declared(context)
    reader = Reader(context.open_directory)
    explicit = list(context.runs)
    taken: dict[str, dict[str, str]] = {}
    for one in sorted(context.sets, key=lambda one: (rows[one.uid].added_at, one.name)):
        await _Enlisting(context, one, rows[one.uid], reader).run(explicit, taken)


def _declared(context: PassContext) -> dict[str, SetRow]:
    with context.store.read() as tx:
        rows = tx.sets.all()
    fresh = [
        SetRow(uid=one.uid, name=one.name, added_at=context.clock())
        for one in context.sets
        if one.uid not in rows
    ]
    if fresh:
        with context.store.write() as tx:
            tx.sets.put(fresh)
    return rows | {row.uid: row for row in fresh}


class _Enlisting:
    """Of one set."""

    def __init__(
        self, context: PassContext, one: SpokeSetConfig, row: SetRow, reader: Reader
    ) -> None:
        self._context = context
        self._one = one
        self._row = row
        self._reader = reader
        self._now = context.clock()
        self._report = SetReport(uid=one.uid, name=one.name)
        context.report.sets[one.uid] = self._report
        with context.store.read() as tx:
            self._rows = context.rolls[one.uid] = tx.members.of_set(one.uid)

    async def run(self, explicit: Sequence[SpokeRun], taken: dict[str, dict[str, str]]) -> None:
        """`explicit`: the hub's other spokes. `taken`: by place, the members of sets before this
        one, with the sets' names."""
        one, row = self._one, self._row
        if not one.suspend:
            try:
                SpokeRun(one.template, self._context.hub.default_region, self._context.kind)
            except ConfigurationError as error:
                self._report.problem = problem_of(error)
            else:
                await self._read_if_due()
        self._report.read_at = row.read_at
        self._report.due_at = row.read_at + one.interval
        report = self._report
        report.approval, report.held, report.emptied = row.held, row.held_count, row.emptied
        going = [] if one.suspend or self._invalid else self._going(explicit, taken)
        for start in range(0, len(going), CHUNK):
            self._context.admit([self._spoke(each) for each in going[start : start + CHUNK]])
            await asyncio.sleep(0)
        self._context.members |= {each.uid: each for each in going}
        if one.template.direction.contributes:
            living = sum(not each.leaving for each in self._rows.values())
            self._context.absent += living - len(going)

    @property
    def _invalid(self) -> bool:
        problem = self._report.problem
        return problem is not None and problem.reason == ConfigurationError.reason

    async def _read_if_due(self) -> None:
        one, row = self._one, self._row
        key = source_key(one)
        asked = one.asked != row.asked
        due = (
            asked
            or key != row.source_key
            or self._now >= row.read_at + one.interval
            or bool(row.held and row.held in self._context.approved)
        )
        if not due:
            return
        if asked and not self._context.dry:
            for each in self._rows.values():
                each.retry_at = 0.0
        problem = None
        try:
            found = await self._reader.read(one, self._listed())
        except (LeaseLostError, StoreError, KeyUnavailableError):
            raise
        except CirahubError as error:
            problem = problem_of(error)
        except Exception as error:
            problem = unexpected(error, f"set {one.name}")
        if problem is not None:
            self._report.problem = self._unread(problem)
            return
        with self._context.store.write() as tx:
            self._take_in(tx, found)
            if not self._context.dry:
                row.name, row.source_key, row.asked = one.name, key, one.asked
                row.read_at = self._now
                tx.sets.put([row])

    def _unread(self, problem: Problem) -> Problem:
        consequence = "until they have been read, nothing is synced here"
        if self._row.read_at:
            since = datetime.fromtimestamp(self._row.read_at, UTC).strftime("%Y-%m-%dT%H:%MZ")
            consequence = f"nobody joins or leaves; its members are those of {since}"
        return msgspec.structs.replace(
            problem,
            message=f"its members can't be read: {problem.message}; {consequence}",
        )

    def _listed(self) -> Mapping[str, Found]:
        """Mailboxes of the list that are known; one that was not found, or is gone, is looked for
        again."""
        if not self._one.source.mailboxes:
            return {}
        known: dict[str, Found] = {}
        with self._context.store.read() as tx:
            for row in self._rows.values():
                person = tx.members.person(row)
                if person.listed and row.resolved and row.reason != TargetNotFoundError.reason:
                    known[person.listed.casefold()] = Found(row.id, person.addresses, person.listed)
        return known

    def _take_in(self, tx: Transaction, found: Mapping[str, Found]) -> None:
        rows, dry = self._rows, self._context.dry
        living = {id_: row for id_, row in rows.items() if not row.leaving}
        changed = [
            row
            for each in found.values()
            if (row := self._joined(tx, rows.get(each.id), each)) is not None
        ]
        gone = [row for id_, row in living.items() if id_ not in found]
        unknown = [row for row in gone if not row.resolved]
        leavers = [row for row in gone if row.resolved]
        if not dry:
            for row in unknown:
                tx.remove_spoke(row.uid)
                del rows[row.id]
            tx.members.remove(self._one.uid, [row.id for row in unknown])
            if self._may_leave(leavers, len(living) - len(unknown), found):
                changed += self._let_leave(tx, leavers)
        tx.members.put(changed)

    def _joined(self, tx: Transaction, row: MemberRow | None, found: Found) -> MemberRow | None:
        """The row of somebody who joins, comes back or is called otherwise; else None."""
        if row is None:
            row = MemberRow(
                set_uid=self._one.uid,
                id=found.id,
                uid=member_uid(self._context.hub.uid, self._one, found.id),
                joined_at=self._now,
                resolved=found.resolved,
            )
            tx.members.seal(row, Person(found.addresses, found.listed))
            self._rows[row.id] = row
        elif row.leaving and not self._context.dry:
            row.leaving, row.state, row.reason = False, MemberState.PENDING, ""
            row.failures, row.retry_at = 0, 0.0
            tx.members.seal(row, Person(found.addresses, found.listed))
        else:
            person = tx.members.person(row)
            if (person.addresses, person.listed) == (found.addresses, found.listed):
                return None
            tx.members.seal(row, Person(found.addresses, found.listed, person.message))
            return row
        # Copies of an earlier time may be there.
        self._context.verified.discard(row.uid)
        self._report.joined += 1
        return row

    def _may_leave(
        self, leavers: Sequence[MemberRow], members: int, found: Mapping[str, Found]
    ) -> bool:
        """Whether these may leave without a person's approval, or with it."""
        row, limits = self._row, self._one.leavers
        row.held, row.held_count, row.emptied = "", 0, False
        if not leavers:
            return False
        if self._now - row.left_since > DAY:
            row.left_since, row.left_count = self._now, 0
        emptied = not found
        allowed = limits.allowance(members)
        today = row.left_count + len(leavers)
        if not emptied and len(leavers) <= allowed and today <= 2 * allowed:
            row.left_count = today
            return True
        approval = digest("members", self._one.uid, sorted(one.id for one in leavers))
        if approval in self._context.approved:
            return True
        row.held, row.held_count, row.emptied = approval, len(leavers), emptied
        return False

    def _let_leave(self, tx: Transaction, leavers: Sequence[MemberRow]) -> list[MemberRow]:
        """Those of them who are to be erased."""
        spokes, jobs = tx.spokes(), tx.erasures.open()
        leaving: list[MemberRow] = []
        for row in leavers:
            self._report.left += 1
            if self._one.retain and row.uid in spokes:
                release(self._context, tx, row.uid)
            if self._one.retain or row.uid not in spokes or spokes[row.uid].retired:
                tx.members.remove(row.set_uid, [row.id])
                del self._rows[row.id]
                continue
            if not (
                spokes[row.uid].target or tx.replicas.any(row.uid) or tx.shadows.any(row.uid)
            ) and (row.reason == TargetInUseError.reason):
                # Nothing there is its own, and another's target is not to be waited for.
                row.leaving = True
                tx.members.put([row])
                tx.remove_spoke(row.uid)
                del self._rows[row.id]
                continue
            config = member_config(self._one, row.id, row.uid, _address(tx, row))
            note(
                tx,
                row.uid,
                Content(hub=self._context.hub, name=config.name, spokes=(config,)),
                now=self._now,
                erase_at=self._now + self._one.leavers.grace_period,
                known=jobs.get(row.uid),
            )
            row.leaving, row.state, row.reason = True, MemberState.LEAVING, ""
            leaving.append(row)
        return leaving

    def _going(
        self, explicit: Sequence[SpokeRun], taken: dict[str, dict[str, str]]
    ) -> list[MemberRow]:
        """Members that take part in this pass."""
        template = self._one.template
        place = digest(template.connection.tenant_id.lower(), template.target)
        others = taken.setdefault(place, {})
        owners = {
            target.address.casefold(): run
            for run in explicit
            if isinstance(target := run.config.target, MailboxTarget | CalendarTarget)
            and digest(run.config.connection.tenant_id.lower(), _nowhere(target)) == place
        }
        present = {run.uid: run for run in explicit}
        going: list[MemberRow] = []
        changed: list[MemberRow] = []
        with self._context.store.read() as tx:
            for row in self._rows.values():
                if row.leaving:
                    continue
                before = (row.state, row.reason, row.yields_to)
                owner = present.get(row.yields_to)
                if owner is None and owners:
                    names = (row.id, *tx.members.person(row).addresses)
                    found = (owners.get(name.casefold()) for name in names)
                    owner = next((run for run in found if run is not None), None)
                row.yields_to = "" if owner is None else owner.uid
                if row.suspended:
                    row.state, row.reason = MemberState.SUSPENDED, ""
                elif owner is not None:
                    self._isolate(tx, row, f"Spoke {owner.config.name}")
                elif row.id in others:
                    self._isolate(tx, row, f"SpokeSet {others[row.id]}")
                else:
                    others[row.id] = self._one.name
                    if row.retry_at <= self._now:
                        going.append(row)
                if (row.state, row.reason, row.yields_to) != before:
                    changed.append(row)
        if changed and not self._context.dry:
            with self._context.store.write() as tx:
                tx.members.put(changed)
        return going

    def _isolate(self, tx: Transaction, row: MemberRow, owner: str) -> None:
        row.state, row.reason = MemberState.FAILED, TargetInUseError.reason
        row.failures = row.failures or 1
        person = tx.members.person(row)
        message = f"{owner} syncs this folder of this mailbox; a folder belongs to one"
        if person.message != message:
            tx.members.seal(row, msgspec.structs.replace(person, message=message))

    def _spoke(self, row: MemberRow) -> SpokeRun:
        address = row.id
        if not row.resolved:
            with self._context.store.read() as tx:
                address = _address(tx, row)
        config = member_config(self._one, row.id, row.uid, address)
        return SpokeRun(config, self._context.hub.default_region, self._context.kind)


def _address(tx: Transaction, row: MemberRow) -> str:
    return row.id if row.resolved else tx.members.person(row).listed


def _nowhere(target: MailboxTarget | CalendarTarget) -> MailboxTarget | CalendarTarget:
    return msgspec.structs.replace(target, address="")
