"""The engine put together: store, endpoints and identity behind the few calls that a runner or
the command line makes. This is what a thread of the operator, a Job or `cirahub pass` runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from cirahub_sync.configuration import ConnectionConfig, Flow, HubConfig, SpokeConfig
from cirahub_sync.endpoints.base import Endpoint
from cirahub_sync.endpoints.graph import GraphSession, open_endpoint
from cirahub_sync.engine import sync_pass
from cirahub_sync.engine.context import PassContext, SpokeRun, problem_of
from cirahub_sync.engine.leave import Withdrawal, empty, leave
from cirahub_sync.engine.plan import fields_changed
from cirahub_sync.engine.report import PassReport, Problem, SpokeReport
from cirahub_sync.errors import AccessDeniedError, CirahubError, ConfigurationError
from cirahub_sync.identity.base import CredentialSource, TokenProvider
from cirahub_sync.identity.provider import provider
from cirahub_sync.model.field_names import manifest_name
from cirahub_sync.origins import HOSTS, Origins
from cirahub_sync.store.opening import Store
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


class ErasureReport(msgspec.Struct, frozen=True, kw_only=True):
    copies_deleted: int
    """Permanently, in mailboxes."""
    items_erased: int
    """Left the hub because nobody else contributed them."""
    items_changed: int
    """Stayed, without what the leaver had put in."""
    copies_remaining: int
    """Could not be reached; try again."""
    problems: Sequence[Problem] = ()

    @property
    def complete(self) -> bool:
        return self.copies_remaining == 0 and not self.problems


class PlannedAction(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a plan. `item` is an id; `fields` names, in manifests' words,
    what a create fills or an update changes."""

    spoke: str
    action: str
    """`create`, `update` or `delete`."""
    item: str
    fields: Sequence[str] = ()
    held: str = ""
    """Why it would not be sent now (a PendingReason), blank if it would."""


class PlanReport(msgspec.Struct, frozen=True, kw_only=True):
    report: PassReport
    actions: Sequence[PlannedAction]


class _Session(msgspec.Struct):
    connection: ConnectionConfig
    tokens: TokenProvider
    graph: GraphSession


class Worker:
    """All coroutines run in one event loop; the store is used from that loop's thread only.
    Passes of different hubs may run concurrently, of one hub never (a lease sees to that)."""

    def __init__(
        self,
        settings: WorkerSettings,
        store: Store,
        credentials: CredentialSource,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._store = store
        self._credentials = credentials
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._throttles: dict[tuple[str, str], Throttle] = {}
        self._verified: dict[str, set[str]] = {}

    @classmethod
    def open(
        cls,
        settings: WorkerSettings,
        credentials: CredentialSource,
        *,
        clock: Callable[[], float] = time.time,
    ) -> Worker:
        """Open the store, migrating it if it is older. Raises KeyUnavailableError, StoreError."""
        store = Store.open(settings.database, settings.key_file, clock)
        return cls(settings, store, credentials, clock)

    async def check(self, connection: ConnectionConfig) -> None:
        """Sign in. Raises CredentialError, AccessDeniedError or EndpointUnavailableError."""
        session = await self._session(connection)
        await session.tokens.token(f"{HOSTS[connection.cloud].graph}/.default")

    async def run_pass(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        approved: frozenset[str] = frozenset(),
        progress: Progress | None = None,
    ) -> PassReport:
        """One pass. `approved` holds digests from earlier `PassReport.approval`s. Raises only
        what concerns the process (LeaseLostError); everything else is in the report."""
        try:
            context = self._context(hub, spokes, approved=approved, progress=progress)
        except CirahubError as error:
            return self._refused(hub, error)
        await sync_pass.run_pass(context)
        self._account(context)
        await self._doubt(context)
        return context.report

    async def plan(
        self, hub: HubConfig, spokes: Sequence[SpokeConfig], *, progress: Progress | None = None
    ) -> PlanReport:
        """Pull, merge and plan, but send nothing."""
        try:
            context = self._context(hub, spokes, progress=progress)
        except CirahubError as error:
            return PlanReport(report=self._refused(hub, error), actions=())
        planned = await sync_pass.run_plan(context)
        names = {spoke.uid: spoke.name for spoke in spokes}
        actions = [
            PlannedAction(
                spoke=names[uid],
                action=one.judgement.action.value,
                item=one.judgement.item,
                fields=[manifest_name(field) for field in fields_changed(one.judgement)],
                held=one.held,
            )
            for uid, plan in planned.items()
            for one in plan
            if one.judgement.action is not None
        ]
        return PlanReport(report=context.report, actions=actions)

    async def erase_spoke(
        self, hub: HubConfig, spoke: SpokeConfig, remaining: Sequence[SpokeConfig]
    ) -> ErasureReport:
        """Take a spoke out: its copies elsewhere and ours in it go (unless it is retained), the
        rest is folded again without it. Idempotent; call again while not complete."""
        context = self._context(hub, [_leaving(spoke)])
        done = Withdrawal()

        async def stages(context: PassContext) -> None:
            nonlocal done
            done = await leave(context, context.runs[0])

        await sync_pass.leased(context, stages)
        report = await self.run_pass(hub, remaining)
        left = context.runs[0].report
        problems = [p for p in (context.report.problem, left.problem, report.problem) if p]
        remaining_copies = left.counts.copies
        with self._store.hub(hub.uid).read() as tx:
            remaining_copies += tx.replicas.count_erased()
        if not problems and left.counts.copies == 0:
            await self._forget(hub, spoke)
        problems += [
            other.problem
            for other in report.spokes.values()
            if other.problem is not None and remaining_copies
        ]
        return ErasureReport(
            copies_deleted=done.copies_deleted
            + sum(other.counts.deleted for other in report.spokes.values()),
            items_erased=done.items_erased,
            items_changed=done.items_changed,
            copies_remaining=remaining_copies,
            problems=problems,
        )

    async def retain_spoke(self, hub: HubConfig, spoke: SpokeConfig) -> None:
        """Forget a spoke whose deletionPolicy is Retain: nothing is deleted anywhere, its
        contributions stay in the hub as the hub's own."""
        store = self._store.hub(hub.uid)
        store.acquire()
        try:
            with store.write() as tx:
                if spoke.uid in tx.spokes():
                    tx.retire_spoke(spoke.uid)
        finally:
            store.release()

    async def erase_hub(self, hub: HubConfig, spokes: Sequence[SpokeConfig]) -> ErasureReport:
        """Delete every copy of the hub's items in `spokes`, then the hub's rows and its key."""
        context = self._context(hub, [_leaving(spoke) for spoke in spokes])
        deleted = 0
        with self._store.hub(hub.uid).read() as tx:
            items = tx.items.count()

        async def stages(context: PassContext) -> None:
            nonlocal deleted
            deleted = await empty(context, context.runs)

        await sync_pass.leased(context, stages)
        left = sum(run.report.counts.copies for run in context.runs)
        problems = [
            problem
            for problem in (
                context.report.problem,
                *(run.report.problem for run in context.runs if run.report.counts.copies),
            )
            if problem is not None
        ]
        if not left and not problems:
            await self.retain_hub(hub)
        return ErasureReport(
            copies_deleted=deleted,
            items_erased=0 if left or problems else items,
            items_changed=0,
            copies_remaining=left,
            problems=problems,
        )

    async def retain_hub(self, hub: HubConfig) -> None:
        """Delete the hub's rows and its key, and leave every copy where it is."""
        store = self._store.hub(hub.uid)
        store.acquire()
        store.destroy()
        self._verified.pop(hub.uid, None)

    async def close(self) -> None:
        for uid in list(self._sessions):
            await self._drop(uid)
        self._store.close()

    async def _forget(self, hub: HubConfig, spoke: SpokeConfig) -> None:
        store = self._store.hub(hub.uid)
        store.acquire()
        try:
            with store.write() as tx:
                tx.remove_spoke(spoke.uid)
        finally:
            store.release()

    def _context(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        approved: frozenset[str] = frozenset(),
        progress: Progress | None = None,
    ) -> PassContext:
        runs: list[SpokeRun] = []
        broken: list[SpokeReport] = []
        for spoke in spokes:
            try:
                runs.append(SpokeRun(spoke))
            except ConfigurationError as error:
                broken.append(SpokeReport(spoke.uid, spoke.name, problem=problem_of(error)))
        return PassContext(
            hub=hub,
            runs=runs,
            broken=broken,
            store=self._store.hub(hub.uid),
            open_endpoint=self._open_endpoint,
            installation=self._settings.installation,
            clock=self._clock,
            progress=progress,
            verified=self._verified.setdefault(hub.uid, set()),
            approved=approved,
        )

    def _refused(self, hub: HubConfig, error: CirahubError) -> PassReport:
        now = self._clock()
        return PassReport(hub=hub.name, started=now, finished=now, problem=problem_of(error))

    def _account(self, context: PassContext) -> None:
        for run in context.runs:
            session = self._sessions.get(run.config.connection.uid)
            if session is None:
                continue
            places = [run.config.target.address]
            if run.report.target:
                places.append(run.report.target.split("/")[1])
            throttle = session.graph.throttle
            run.report.throttled_seconds = sum(throttle.take_waited(place) for place in places)

    async def _doubt(self, context: PassContext) -> None:
        """A role that is granted shows in tokens issued from then on: after a refusal, the next
        pass signs in anew instead of going on with a token of up to an hour ago."""
        for uid in {run.config.connection.uid for run in context.runs if _denied(run)}:
            session = self._sessions.get(uid)
            if session is not None:
                await session.tokens.invalidate()

    async def _open_endpoint(self, hub: HubConfig, spoke: SpokeConfig) -> Endpoint:
        session = await self._session(spoke.connection)
        names = [key.removeprefix(_CUSTOM) for key in hub.match_on if key.startswith(_CUSTOM)]
        return open_endpoint(session.connection, spoke.target, session.graph, custom_names=names)

    async def _session(self, connection: ConnectionConfig) -> _Session:
        """One session a connection, made anew when its configuration changes."""
        session = self._sessions.get(connection.uid)
        if session is not None and session.connection == connection:
            return session
        if session is not None:
            await self._drop(connection.uid)
        tokens = provider(
            connection.auth,
            connection.cloud,
            self._settings.origins,
            self._credentials,
            name=connection.name,
        )
        throttle = self._throttles.setdefault(
            (connection.cloud.value, connection.auth.client_id), Throttle()
        )
        graph = GraphSession(connection, tokens, self._settings.origins, throttle=throttle)
        made = _Session(connection, tokens, graph)
        self._sessions[connection.uid] = made
        return made

    async def _drop(self, uid: str) -> None:
        session = self._sessions.pop(uid)
        await session.graph.close()
        await session.tokens.close()


def _denied(run: SpokeRun) -> bool:
    problem = run.report.problem
    return problem is not None and problem.reason == AccessDeniedError.reason


def _leaving(spoke: SpokeConfig) -> SpokeConfig:
    """A spoke goes although its filter or mapping can't be read."""
    try:
        SpokeRun(spoke)
    except ConfigurationError:
        return msgspec.structs.replace(spoke, contributes=Flow(), receives=Flow())
    return spoke
