"""The engine put together: store, endpoints and identity behind the few calls that a runner or
the command line makes. This is what a thread of the operator, a Job or `cirahub pass` runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from cirahub_sync import steady
from cirahub_sync.approvals import Approvals, ApprovedStage
from cirahub_sync.configuration import (
    ConnectionConfig,
    HubConfig,
    ItemKind,
    PrivateItems,
    SpokeConfig,
)
from cirahub_sync.conflicts import Conflicts, OpenConflict
from cirahub_sync.deletions import Deletion, Deletions, Restored
from cirahub_sync.duplicates import Twins, twins
from cirahub_sync.endpoints.base import Endpoint, Fence
from cirahub_sync.endpoints.directory import Directory
from cirahub_sync.endpoints.masking import Masking
from cirahub_sync.endpoints.opening import capabilities_of
from cirahub_sync.endpoints.subscriptions import Subscriptions
from cirahub_sync.endpoints.withholding import Withholding
from cirahub_sync.engine import sync_pass
from cirahub_sync.engine.approval import entry_of
from cirahub_sync.engine.context import PassContext, SpokeRun, problem_of, withheld
from cirahub_sync.engine.decide import Choice
from cirahub_sync.engine.photo_memory import PhotoMemory
from cirahub_sync.engine.plan import fields_changed
from cirahub_sync.engine.release import release
from cirahub_sync.engine.report import PassReport, PlanSummary, Problem, SpokeReport
from cirahub_sync.engine.shared import Crew
from cirahub_sync.erasure import Erasure, ErasureReport
from cirahub_sync.errors import CirahubError, ConfigurationError
from cirahub_sync.explain import Answer, Explanations, Given
from cirahub_sync.identity.base import CredentialSource, SignIn
from cirahub_sync.identity.database_token import DatabaseToken
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.leaving import Leaving
from cirahub_sync.merging import Merging
from cirahub_sync.model.field_names import manifest_name
from cirahub_sync.model.kind import KINDS
from cirahub_sync.model.window import span
from cirahub_sync.needs import READS_CONTACTS, Needs
from cirahub_sync.origins import Origins
from cirahub_sync.planned import PlannedAction, PlanReport
from cirahub_sync.sessions import Sessions
from cirahub_sync.sets import Sets
from cirahub_sync.shards import Shards
from cirahub_sync.spoke_set import SpokeSetConfig, ToldMember
from cirahub_sync.store.hub import HubStore
from cirahub_sync.store.opening import Store
from cirahub_sync.store.shards import ShardKey
from cirahub_sync.throttle import Throttle

Progress = Callable[[str], None]
"""Called now and then during long work with a short line (no personal data) for people."""

_CUSTOM = "custom:"


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    database: str
    """SQLAlchemy URL; `sqlite:////var/lib/cirahub/store.sqlite3`."""
    key_file: Path | None
    """File with the key-encryption key (32 bytes, base64), as mounted from a Secret."""
    installation: str
    """Who we are in the stamps of our copies: 1 to 36 characters of `[a-z0-9-]`, the same for as
    long as the copies live (on a cluster: the UID of kube-system, by default)."""
    origins: Origins = Origins()
    lease: LeaseTerms = LeaseTerms()
    """Of the hubs that are passed over."""
    notifications: str = ""
    """The public URL at which services tell of changes; blank: none are asked to."""


def _alone() -> None:
    """Nobody leads but the only process there is."""


class Worker:
    """All coroutines run in one event loop; the store is used from that loop's thread only.
    Passes of different hubs may run concurrently, of one hub never (a lease sees to that)."""

    def __init__(
        self,
        settings: WorkerSettings,
        store: Store,
        credentials: CredentialSource,
        clock: Callable[[], float],
        *,
        leading: Callable[[], None] = _alone,
        make_throttle: Callable[[], Throttle] = Throttle,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._leading = leading
        self._sessions = Sessions(
            settings.origins, settings.lease, credentials, clock, make_throttle
        )
        self._verified: dict[str, set[str]] = {}
        self._interruptions = 0
        self._photos: dict[str, PhotoMemory] = {}
        self._conflicts = Conflicts(store, lambda hub: self._context(hub, ()))
        self._merging = Merging(store, lambda hub: self._context(hub, ()))
        self._explanations = Explanations(store, self._context, capabilities_of)
        self._approvals = Approvals(store, clock)
        self._deletions = Deletions(store, lambda hub: self._context(hub, ()))
        self._leaving = Leaving(store, self._context, self._sessions.doubt, clock)
        self._sets = Sets(store, lambda hub: self._context(hub, ()), clock)
        self._shards = Shards(
            store, self._context, self._sessions.account, self._sessions.doubt, clock
        )

    @classmethod
    def open(
        cls,
        settings: WorkerSettings,
        credentials: CredentialSource,
        *,
        clock: Callable[[], float] = time.time,
        steadily: Callable[[], float] = steady.now,
        leading: Callable[[], None] = _alone,
        make_throttle: Callable[[], Throttle] = Throttle,
    ) -> Worker:
        """Open the store, migrating it if it is older. Raises KeyUnavailableError, StoreError.

        `leading` raises LeaseLostError when this process as a whole may write no more."""
        url, key, terms = settings.database, settings.key_file, settings.lease
        token = DatabaseToken(settings.origins, settings.database, clock=clock)
        store = Store.open(url, key, clock, steadily=steadily, terms=terms, token=token)
        return cls(
            settings, store, credentials, clock, leading=leading, make_throttle=make_throttle
        )

    async def check(self, connection: ConnectionConfig, *, needs: Needs = READS_CONTACTS) -> SignIn:
        """Sign in anew, and look at the permissions that come with it: `needs` says for what.
        Passes use the new token from now on.

        Raises CredentialError or EndpointUnavailableError.
        """
        return await (await self._sessions.of(connection)).check(needs)

    async def run_pass(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        sets: Sequence[SpokeSetConfig] = (),
        approved: frozenset[str] = frozenset(),
        absent: int = 0,
        progress: Progress | None = None,
        crew: Crew | None = None,
        notified_only: bool = False,
    ) -> PassReport:
        """One pass. `approved` holds digests from earlier `PassReport.approval`s; `absent` counts
        spokes, or sets, of the hub that can't take part, for want of a Connection, say. A crew does
        in other processes what is done at mailboxes: see `work_shard`. With `notified_only` it
        reads only where services told of changes (see `notifications.Mailroom`), and does the rest
        as ever. Raises only what concerns the process (LeaseLostError); everything else is in the
        report."""
        try:
            context = self._context(
                hub, spokes, sets=sets, approved=approved, absent=absent, progress=progress
            )
            context.notified_only = notified_only
        except CirahubError as error:
            return self._refused(hub, error)
        await sync_pass.run_pass(context, crew)
        self._sessions.account(context)
        await self._sessions.doubt(context)
        return context.report

    async def shards(self, hub: str) -> Sequence[ShardKey]:
        """See `shards.Shards.free`."""
        return self._shards.free(hub)

    async def work_shard(self, hub: str, key: ShardKey) -> Problem | None:
        """See `shards.Shards.work`."""
        return await self._shards.work(hub, key)

    async def plan(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        sets: Sequence[SpokeSetConfig] = (),
        progress: Progress | None = None,
    ) -> PlanReport:
        """Pull, merge and plan, but send nothing. Who joins a set is in it; nobody leaves one."""
        try:
            context = self._context(hub, spokes, sets=sets, progress=progress)
        except CirahubError as error:
            return PlanReport(report=self._refused(hub, error), actions=())
        planned = await sync_pass.run_plan(context)
        names = {run.uid: run.config.name for run in context.runs}
        actions = [
            PlannedAction(
                spoke=names[uid],
                action=one.judgement.action.value,
                item=one.judgement.item,
                fields=[manifest_name(field) for field in fields_changed(one.judgement)],
                held=one.held,
                id=entry_of(uid, one.judgement, context.fingerprint).id,
            )
            for uid, plan in planned.items()
            for one in plan
            if one.judgement.action is not None
        ]
        return PlanReport(report=context.report, actions=actions, adoptions=context.adoptions)

    async def leave_spoke(
        self, hub: HubConfig, uid: str, *, erase_at: float, spoke: SpokeConfig | None = None
    ) -> bool:
        """Record durably that a spoke leaves, to be erased at `erase_at`. Sends nothing. Asked
        again, it keeps the earlier of both times. `spoke` is its configuration if that can be
        resolved; otherwise the one of its last pass counts. False if the store knows nothing of
        the spoke: there is nothing to erase. A store that knows nothing even of the hub may have
        been lost: then a spoke that is given leaves all the same, and copies are looked for."""
        return self._leaving.leave_spoke(hub, uid, erase_at=erase_at, spoke=spoke)

    async def leave_set(
        self, hub: HubConfig, uid: str, *, erase_at: float, retain: bool = False
    ) -> Sequence[str]:
        """See `sets.Sets.leave`."""
        return self._sets.leave(hub, uid, erase_at=erase_at, retain=retain)

    async def members(self, name: str = "") -> Sequence[ToldMember]:
        """See `sets.Sets.members`."""
        return self._sets.members(name)

    async def tend_members(
        self, name: str, ids: Sequence[str], *, suspend: bool | None = None
    ) -> Sequence[ToldMember]:
        """See `sets.Sets.tend`."""
        return self._sets.tend(name, ids, suspend=suspend)

    async def leave_hub(
        self, hub: HubConfig, *, erase_at: float, spokes: Sequence[SpokeConfig] = ()
    ) -> bool:
        """The same of a hub with all of its spokes, of which jobs of their own become part."""
        return self._leaving.leave_hub(hub, erase_at=erase_at, spokes=spokes)

    async def erasures(self) -> Sequence[Erasure]:
        """The open jobs of all hubs of the store, the oldest first."""
        return self._leaving.open()

    async def erase(
        self,
        job: str,
        *,
        spokes: Sequence[SpokeConfig] | None = None,
        connections: Sequence[ConnectionConfig] = (),
        progress: Progress | None = None,
    ) -> ErasureReport:
        """One attempt at a job, whatever its `erase_at`. Complete, it is closed: what was kept of
        it is gone but for a receipt in numbers. `spokes` are the hub's others as they are now
        (None: as in their last passes); `connections`, by name, take the place of those that the
        job remembers. Raises ConfigurationError for an unknown job."""
        return await self._leaving.erase(
            job, spokes=spokes, connections=connections, progress=progress
        )

    async def abandon(self, job: str) -> ErasureReport:
        """Give up on what of a job can't be reached: what is kept here of the leaver goes, the
        copies that remain out there are counted in the receipt. Raises ConfigurationError for an
        unknown job."""
        return await self._leaving.abandon(job)

    async def conflicts(self) -> Sequence[OpenConflict]:
        """Those of all hubs of the store that wait for a person, with their values: personal
        data."""
        return self._conflicts.open()

    async def decide(self, conflict: str, choice: Choice, *, spoke: str = "") -> OpenConflict:
        """See `conflicts.Conflicts.decide`. The next pass brings it to the receivers."""
        return self._conflicts.decide(conflict, choice, spoke=spoke)

    async def explain(
        self,
        contact: str,
        *,
        hubs: Sequence[str] = (),
        spokes: Sequence[str] = (),
        given: Given | None = None,
        values: bool = False,
    ) -> Answer:
        """See `explain.Explanations.explain`. Reads only; a pass may run meanwhile."""
        return self._explanations.explain(
            contact, hubs=hubs, spokes=spokes, given=given, values=values
        )

    async def duplicates(self) -> Sequence[Twins]:
        """Items of all hubs of the store that have a match key in common, with what they hold:
        personal data."""
        return twins(self._store)

    async def approve(self, approval: str) -> tuple[str, PlanSummary | ApprovedStage]:
        """See `approvals.Approvals.approve`. The next pass makes the writes."""
        return self._approvals.approve(approval)

    async def merge(self, hub: str, keep: str, gone: str) -> str:
        """See `merging.Merging.merge`. The next pass brings it to the receivers."""
        return self._merging.merge(hub, keep, gone)

    async def split(self, hub: str, item: str, spokes: Sequence[str]) -> str:
        """See `merging.Merging.split`."""
        return self._merging.split(hub, item, spokes)

    async def deletions(self) -> Sequence[Deletion]:
        """What is about to be deleted, or was, and can be brought back; of all hubs of the
        store."""
        return self._deletions.open()

    async def restore(
        self,
        hub: str,
        *,
        items: Sequence[str] = (),
        spoke: str = "",
        since: float | None = None,
        dry: bool = False,
        values: bool = False,
    ) -> Sequence[Restored]:
        """See `deletions.Deletions`: without a moment its `restore`, else its `rewind`. The next
        pass brings it to the receivers."""
        if since is None:
            return self._deletions.restore(hub, items=items, dry=dry)
        return self._deletions.rewind(
            hub, items=items, spoke=spoke, to=since, dry=dry, values=values
        )

    async def take_back(
        self, hub: str, items: Sequence[str] = (), *, spoke: str = ""
    ) -> Sequence[str]:
        """See `deletions.Deletions.take_back`."""
        return self._deletions.take_back(hub, items, spoke)

    async def retain_spoke(self, hub: HubConfig, spoke: SpokeConfig) -> None:
        """Forget a spoke whose deletionPolicy is Retain: nothing is deleted anywhere, its
        contributions stay in the hub as the hub's own."""
        context = self._context(hub, [spoke])
        store = context.store
        store.acquire()
        try:
            with store.write() as tx:
                if spoke.uid in tx.spokes():
                    release(context, tx, spoke.uid)
                job = tx.erasures.open().get(spoke.uid)
                if job is not None:
                    tx.erasures.cancel(job.number)
        finally:
            store.release()

    async def retain_hub(self, hub: HubConfig) -> None:
        """Delete the hub's rows and its key, and leave every copy where it is."""
        store = self._store.hub(hub.uid)
        store.acquire()
        store.destroy()
        self._verified.pop(hub.uid, None)
        self._photos.pop(hub.uid, None)

    async def close(self) -> None:
        await self._sessions.close()
        self._store.close()

    def _context(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        sets: Sequence[SpokeSetConfig] = (),
        approved: frozenset[str] = frozenset(),
        absent: int = 0,
        progress: Progress | None = None,
        erasing: bool = False,
        store: HubStore | None = None,
    ) -> PassContext:
        """`store`: of a shard, which it holds; what this process has seen is not asked then."""
        runs: list[SpokeRun] = []
        broken: list[SpokeReport] = []
        for spoke in spokes:
            try:
                runs.append(SpokeRun(spoke, hub.default_region, KINDS[hub.item_kind]))
            except ConfigurationError as error:
                broken.append(SpokeReport(spoke.uid, spoke.name, problem=problem_of(error)))
        self._distrust()
        return PassContext(
            hub=hub,
            runs=runs,
            sets=sets,
            broken=broken,
            absent=absent,
            erasing=erasing,
            store=store or self._store.hub(hub.uid),
            open_endpoint=self._open_endpoint,
            open_directory=self._open_directory,
            open_subscriptions=self._open_subscriptions,
            notifications=self._settings.notifications,
            installation=self._settings.installation,
            clock=self._clock,
            progress=progress,
            verified=set() if store else self._verified.setdefault(hub.uid, set()),
            photo_memory=self._photos.setdefault(hub.uid, PhotoMemory()),
            approved=approved,
        )

    def _distrust(self) -> None:
        """A database that was away may be one that lacks the last moments before: what this process
        has seen of the receivers since counts no more than after a restart."""
        if self._interruptions != self._store.database.interruptions:
            self._interruptions = self._store.database.interruptions
            self._verified.clear()
            self._photos.clear()

    def _refused(self, hub: HubConfig, error: CirahubError) -> PassReport:
        now = self._clock()
        return PassReport(hub=hub.name, started=now, finished=now, problem=problem_of(error))

    def _fence(self, holding: Fence) -> Fence:
        def fence(seconds: float) -> None:
            self._leading()
            holding(seconds)

        return fence

    async def _open_endpoint(self, hub: HubConfig, spoke: SpokeConfig, holding: Fence) -> Endpoint:
        session = await self._sessions.of(spoke.connection)
        names = [key.removeprefix(_CUSTOM) for key in hub.match_on if key.startswith(_CUSTOM)]
        looked_at = span(hub.window, self._clock())
        endpoint = session.open_target(
            spoke,
            self._fence(holding),
            installation=self._settings.installation,
            hub=hub.uid,
            custom_names=names,
            span=looked_at,
            keyed=lambda: self._store.hub(hub.uid).cipher.fingerprint,
        )
        never = withheld(spoke, KINDS[hub.item_kind])
        if hub.item_kind is ItemKind.EVENT and spoke.private_items is PrivateItems.MASK:
            return Masking(endpoint, never)
        return Withholding(endpoint, never) if never else endpoint

    async def _open_directory(self, connection: ConnectionConfig) -> Directory:
        return (await self._sessions.of(connection)).directory()

    async def _open_subscriptions(
        self, connection: ConnectionConfig, holding: Fence
    ) -> Subscriptions | None:
        return (await self._sessions.of(connection)).subscriptions(self._fence(holding))
