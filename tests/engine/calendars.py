"""A hub of events over calendars that are handed to it: no service, no sockets."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import msgspec

from cirahub_sync.configuration import (
    ClientSecretAuth,
    ConnectionConfig,
    DeletedBy,
    DeletionLimits,
    Direction,
    Flow,
    HubConfig,
    ItemKind,
    MailboxTarget,
    PrivateItems,
    SecretFile,
    SpokeConfig,
)
from cirahub_sync.endpoints.base import (
    Capabilities,
    Endpoint,
    KnownEtags,
    Limits,
    Page,
    RemoteItem,
    Target,
    Whereabouts,
)
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.deliver import CHUNK, Receiver
from cirahub_sync.engine.merge import merge
from cirahub_sync.engine.plan import Encoder, Judgement, judge
from cirahub_sync.engine.pull import pull
from cirahub_sync.engine.registration import register
from cirahub_sync.model.event import Event, Role
from cirahub_sync.model.kind import EVENTS, as_event
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import Cursor, Item, Staged, StagedKind

EVERYTHING = Flow()
NINE = "DTSTART;TZID=UTC:20261201T090000\nDTEND;TZID=UTC:20261201T100000"
TEN = "DTSTART;TZID=UTC:20261201T100000\nDTEND;TZID=UTC:20261201T110000"
REVIEW = Event(subject="Review", body="Notes", schedule=NINE, uid="u1")
MEETING = msgspec.structs.replace(REVIEW, role=Role.ORGANIZER.value)
INVITED = msgspec.structs.replace(REVIEW, role=Role.ATTENDEE.value)
ALL = Capabilities(
    limits=Limits(fields=frozenset(EVENTS.fields), phones={}, addresses={}),
    permanent_delete=True,
    honours_if_match=False,
    batch=20,
)


class Calendars:
    """A hub of events; `sees` and `loses` are what a pull would have staged."""

    def __init__(self, folder: Path, allowed_by: DeletedBy = DeletedBy.ALL_CONTRIBUTORS) -> None:
        key = folder / "key"
        key.write_bytes(base64.b64encode(os.urandom(32)))
        self.now = 1_795_000_000.0
        self._store = Store.open(f"sqlite:///{folder / 'store.sqlite3'}", key, lambda: self.now)
        self._hub = HubConfig(
            uid="hub",
            name="test/hub",
            item_kind=ItemKind.EVENT,
            deletion=DeletionLimits(grace_period=0.0, allowed_by=allowed_by),
        )
        self._spokes: dict[str, SpokeConfig] = {}
        self._staged: dict[str, list[Staged]] = {}
        self.opened = self._store.hub("hub")

    def close(self) -> None:
        self._store.close()

    def connect(
        self,
        name: str,
        direction: Direction = Direction.CONTRIBUTE,
        contributes: Flow = EVERYTHING,
        receives: Flow = EVERYTHING,
        private_items: PrivateItems = PrivateItems.SKIP,
    ) -> None:
        self._spokes[name] = SpokeConfig(
            uid=name,
            name=f"test/{name}",
            connection=ConnectionConfig(
                uid="connection",
                name="test/connection",
                auth=ClientSecretAuth("tenant", "client", secret=SecretFile("nobody")),
            ),
            target=MailboxTarget(f"{name}@contoso.example"),
            direction=direction,
            contributes=contributes,
            receives=receives,
            private_items=private_items,
        )

    def sees(self, spoke: str, remote: str, event: Event, etag: str = "1") -> None:
        row = Staged(
            remote=remote, kind=StagedKind.ITEM, etag=etag, modified=self.now, content=event
        )
        self._staged.setdefault(spoke, []).append(row)

    def loses(self, spoke: str, remote: str) -> None:
        row = Staged(remote=remote, kind=StagedKind.REMOVED)
        self._staged.setdefault(spoke, []).append(row)

    async def merge(self) -> PassContext:
        self.now += 60
        context = self._context()
        self.opened.acquire()
        try:
            register(context)
            with self.opened.write() as tx:
                context.began = tx.seq
                for run in context.runs:
                    tx.staging.add(run.uid, self._staged.pop(run.uid, []))
                    tx.cursors.put(run.uid, Cursor(staged="delta"))
            await merge(context, context.runs)
            assert [run.report.problem for run in context.runs if run.failed] == []
        finally:
            self.opened.release()
        return context

    async def round(self, spoke: str, calendar: Calendar) -> PassContext:
        """Read the calendar from nothing, and merge it."""
        self.now += 60
        context = self._context(calendar)
        self.opened.acquire()
        try:
            register(context)
            with self.opened.write() as tx:
                context.began = tx.seq
                tx.cursors.put(spoke, Cursor())
            runs = [run for run in context.runs if run.uid == spoke]
            await pull(context, runs)
            await merge(context, runs)
        finally:
            self.opened.release()
        return context

    async def planned(self, spoke: str) -> list[str]:
        """The subjects of what would be written; what needs no request is noted."""
        context = self._context(Calendar([]))
        self.opened.acquire()
        try:
            register(context)
            (run,) = [run for run in context.runs if run.uid == spoke]
            context.verified.add(spoke)
            receiver = Receiver(context, run, Encoder(context.fingerprint), CHUNK)
            planned = await receiver.plan()
            if not planned:
                await receiver.deliver()
            return [as_event(one.judgement.desired).subject for one in planned if not one.held]
        finally:
            self.opened.release()

    def _context(self, calendar: Calendar | None = None) -> PassContext:
        async def opened(*_: object) -> Endpoint:
            assert calendar is not None, "a merge asks no mailbox"
            return calendar  # type: ignore[return-value]

        return PassContext(
            hub=self._hub,
            runs=[
                SpokeRun(spoke, self._hub.default_region, EVENTS) for spoke in self._spokes.values()
            ],
            store=self.opened,
            open_endpoint=opened,
            installation="test",
            clock=lambda: self.now,
            progress=None,
            verified=set(),
        )

    def items(self) -> list[Item]:
        with self.opened.read() as tx:
            return list(tx.items.after(0, 100))

    def item(self) -> Item:
        (one,) = self.items()
        return one

    def event(self) -> Event:
        return as_event(self.item().content)

    def judged(self, context: PassContext, spoke: str) -> Judgement:
        """What would be written of the one item there is."""
        item = self.item()
        (run,) = [run for run in context.runs if run.uid == spoke]
        with self.opened.read() as tx:
            shadows = tx.shadows.by_item([item.id])[item.id]
            return judge(
                run,
                item,
                replica=tx.replicas.by_item(spoke, [item.id]).get(item.id),
                shadow=next((one for one in shadows if one.spoke == spoke), None),
                pending=None,
                limits=self._hub.deletion,
                now=self.now,
                capabilities=ALL,
                encoder=Encoder(context.fingerprint),
            )


def but(event: Event, **changes: object) -> Event:
    return msgspec.structs.replace(event, **changes)


class Calendar:
    """What a calendar answers to a pull whose window moved: the items that it shows, and those that
    it has besides. Nothing can be written to it."""

    capabilities = ALL

    def __init__(self, shown: Sequence[RemoteItem], besides: Sequence[RemoteItem] = ()) -> None:
        self._shown = shown
        self._all = {item.id: item for item in (*shown, *besides)}
        self.located: list[str] = []

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        return known or Target("tenant", "mailbox", "calendar")

    async def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        yield Page(changes=self._shown, cursor="delta")

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        self.located += ids
        return {
            remote: Whereabouts.HERE if remote in self._all else Whereabouts.GONE for remote in ids
        }

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | None]:
        return {remote: self._all.get(remote) for remote in ids}

    async def close(self) -> None:
        pass
