"""What the stages of one pass share: the hub, its spokes as they run, store, clock, progress."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import msgspec

from cirahub_sync.configuration import (
    ConnectionConfig,
    Filter,
    HubConfig,
    PrivateItems,
    SpokeConfig,
)
from cirahub_sync.endpoints.base import Endpoint, Fence, Target
from cirahub_sync.endpoints.directory import Directory
from cirahub_sync.endpoints.subscriptions import Subscriptions
from cirahub_sync.engine.adopted import Adoption
from cirahub_sync.engine.comeback import claim_from, gives_way
from cirahub_sync.engine.grouped import Groups, groups_asked, hidden_by
from cirahub_sync.engine.photo_memory import PhotoMemory
from cirahub_sync.engine.report import PassReport, Phase, Problem, SpokeReport
from cirahub_sync.engine.rules import Rules, compile_rules
from cirahub_sync.errors import (
    AccessDeniedError,
    CirahubError,
    ConfigurationError,
    CredentialError,
    FolderNotFoundError,
    KeyUnavailableError,
    LeaseLostError,
    StoreError,
    TargetInUseError,
    TargetNotFoundError,
    ThrottledError,
)
from cirahub_sync.model.codec import fingerprint_bytes
from cirahub_sync.model.event import Event, private
from cirahub_sync.model.field_names import field_named, manifest_name
from cirahub_sync.model.filter import (
    Admission,
    asks_for_spokes,
    compile_filter,
    compile_sourced_filter,
    fields_of,
    nobody_knows,
)
from cirahub_sync.model.group import GroupRef, Membership
from cirahub_sync.model.kind import CONTACTS, EVENTS, KINDS, Content, Kind
from cirahub_sync.model.mapping import compile_lens
from cirahub_sync.model.normalise import DEFAULT_REGION
from cirahub_sync.model.window import Span, span
from cirahub_sync.spoke_set import SpokeSetConfig
from cirahub_sync.store.hub import HubStore, Transaction
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.store.members import MemberRow
from cirahub_sync.store.plans import Entry
from cirahub_sync.store.rows import Spoke

if TYPE_CHECKING:
    from cirahub_sync.engine.plan import Judgement

log = logging.getLogger(__name__)

OpenEndpoint = Callable[[HubConfig, SpokeConfig, Fence], Awaitable[Endpoint]]
"""Makes the endpoint of a spoke, whose writes pass the fence; signs in at most, asks nothing of the
target."""


OpenDirectory = Callable[[ConnectionConfig], Awaitable[Directory]]
"""Makes the way into the directory of a connection; signs in at most."""


OpenSubscriptions = Callable[[ConnectionConfig, Fence], Awaitable[Subscriptions | None]]
"""What a service is asked by to tell of changes, with requests that pass the fence; None where it
can't be. Signs in at most."""


async def _no_subscriptions(connection: ConnectionConfig, fence: Fence) -> None:
    return None


async def _no_directory(connection: ConnectionConfig) -> Directory:
    raise ConfigurationError(f"connection {connection.name}: no directory can be asked here")


class Gate(Protocol):
    """See `approval.Gate`."""

    held: dict[tuple[str, str], Entry]

    def touches(self, spoke: str) -> bool: ...

    def lets(self, spoke: str, judgement: Judgement) -> bool: ...


class SpokeRun:
    """One spoke in one pass: its configuration compiled, its row, its endpoint, its report. There
    may be thousands, so it has no more than it needs."""

    __slots__ = (
        "_endpoint",
        "_opening",
        "admits_in",
        "admits_out",
        "afresh",
        "asks_for_spokes",
        "config",
        "contributes",
        "doubled",
        "groups",
        "hide",
        "hides",
        "membership",
        "never_sync",
        "overlooked",
        "pristine",
        "receives",
        "registered",
        "report",
        "row",
        "settled",
        "span",
        "unread",
    )

    row: Spoke
    asks_for_spokes: bool
    """Whether what it receives depends on who contributes it."""
    hide: Filter | None
    """Which of its copies address lists don't show."""
    hides: Admission | None
    """Whether address lists don't show a copy of an item; None: nothing is said about that."""
    settled: bool
    """No intent of an earlier run is open any more."""
    doubled: bool
    """Whether a late double was found in this pass, and waits to be deleted."""
    afresh: bool
    """Whether what is staged was read in this pass, from its first page on. What an earlier run
    left staged tells nothing of what was written since: the store may be restored."""
    span: Span | None
    """Of a calendar: what its copies are made in."""
    groups: Groups
    """Those that its filters name."""
    membership: Membership
    """Who is in them, once they are looked up."""
    unread: Problem | None
    """Why one of them can't be read, if it was read before: what was read then counts."""
    overlooked: bool
    """It contributes, and this pass does not look at what changed there."""
    pristine: bool
    """In a plan: the folder does not exist yet, a pass would make it."""

    def __init__(
        self, config: SpokeConfig, region: str = DEFAULT_REGION, kind: Kind = CONTACTS
    ) -> None:
        """`region` and `kind` are the hub's. Raises ConfigurationError."""
        self.config = config
        self.report = SpokeReport(uid=config.uid, name=config.name)
        self.never_sync = withheld(config, kind)
        self.contributes, self.receives = (
            compile_lens(
                flow,
                toward_hub=toward_hub,
                never=self.never_sync,
                region=config.default_region,
                hub_region=region,
                kind=kind,
            )
            for flow, toward_hub in ((config.contributes, True), (config.receives, False))
        )
        self.groups = groups_asked(config)
        self.membership = nobody_knows
        self.unread = None
        self.admits_in = compile_filter(config.contributes.filter, kind, self._member)
        if kind is EVENTS and config.private_items is PrivateItems.SKIP:
            self.admits_in = _public(self.admits_in)
        self.admits_out = compile_sourced_filter(config.receives.filter, kind, self._member)
        self.asks_for_spokes = asks_for_spokes(config.receives.filter)
        self.hide = hidden_by(config)
        self.hides = None if self.hide is None else compile_filter(self.hide, kind, self._member)
        self.registered = False
        self.settled = True
        self.doubled = False
        self.afresh = False
        self.overlooked = False
        self.pristine = False
        self.span = None
        self._endpoint: Endpoint | None = None
        self._opening: asyncio.Lock | None = None

    def _member(self, ref: GroupRef, addresses: Iterable[str]) -> bool | None:
        return self.membership(ref, addresses)

    @property
    def uid(self) -> str:
        return self.config.uid

    @property
    def failed(self) -> bool:
        return self.report.problem is not None

    @property
    def place(self) -> str:
        """A digest of what the manifest writes of the target and what never changes of it."""
        return digest(self.config.connection.tenant_id, self.config.target.identity)

    def fail(self, problem: Problem) -> None:
        """The first problem of a pass is the one that is told."""
        if self.report.problem is None:
            self.report.problem = problem

    async def endpoint(self, context: PassContext) -> Endpoint:
        """The open endpoint. The first call resolves the target unless it is known already.
        Raises what opening raises, and TargetInUseError."""
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._endpoint is not None:
                return self._endpoint
            endpoint = await context.open_endpoint(context.hub, self.config, context.store.fence)
            known = None
            if self.row.target is not None:
                known = Target(*self.row.target.split("/", 2))
            try:
                create = self.config.direction.receives and context.makes_folder(self.uid)
                target = await endpoint.open(create=create, known=known)
                if known is None:
                    self._claim(context, str(target))
            except FolderNotFoundError:
                if not (context.may_plan and self.config.direction.receives):
                    await endpoint.close()
                    raise
                self.pristine = True
            except CirahubError:
                await endpoint.close()
                raise
            self._endpoint = endpoint
            return endpoint

    def _claim(self, context: PassContext, target: str) -> None:
        with context.store.write() as tx:
            owner = tx.target_owner(target)
            waits = owner is not None and gives_way(tx, context, self, owner)
            if not waits and owner not in (None, self.uid):
                self.row = claim_from(tx, context, self, owner)
                return
            if not waits:
                tx.update_spoke(self.uid, target=target)
        if waits:
            raise TargetInUseError(
                f"spoke {self.config.name}: {context.called(owner or '')}, a member of a set, "
                "syncs this folder of this mailbox and gives it up: this spoke goes on there at "
                "the next pass",
                stalled=False,
            )
        self.row.target = target

    async def close(self) -> None:
        """It opens again when it is asked for, without a request if the target is known."""
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None:
            await endpoint.close()


class PassContext:
    def __init__(
        self,
        *,
        hub: HubConfig,
        runs: Sequence[SpokeRun],
        sets: Sequence[SpokeSetConfig] = (),
        store: HubStore,
        open_endpoint: OpenEndpoint,
        installation: str,
        clock: Callable[[], float],
        progress: Callable[[str], None] | None,
        verified: set[str],
        open_directory: OpenDirectory = _no_directory,
        open_subscriptions: OpenSubscriptions = _no_subscriptions,
        notifications: str = "",
        photo_memory: PhotoMemory | None = None,
        approved: frozenset[str] = frozenset(),
        broken: Sequence[SpokeReport] = (),
        absent: int = 0,
        erasing: bool = False,
    ) -> None:
        self.hub = hub
        self.kind = KINDS[hub.item_kind]
        self.span: Span | None = None
        """What of calendars this pass looks at."""
        if self.kind is EVENTS:
            self.span = span(hub.window, clock())
        self.runs: list[SpokeRun] = []
        self.asking_for_spokes: list[SpokeRun] = []
        """Those that judge an item again when others contribute it. Kept, since every chunk asks,
        and of thousands of spokes hardly one does."""
        self.asking_elsewhere: Sequence[str] = ()
        """Of a shard: the uids of those that other shards have."""
        self.asking_for_groups: list[SpokeRun] = []
        self.sets = sets
        self.members: dict[str, MemberRow] = {}
        """Those among the runs that are members of a set, by their uids."""
        self.rolls: dict[str, dict[str, MemberRow]] = {}
        """All members of each set, by its uid and theirs in it; also those that leave."""
        self.store = store
        self.open_endpoint = open_endpoint
        self.open_directory = open_directory
        self.open_subscriptions = open_subscriptions
        self.notifications = notifications
        """Where services are to tell of changes; blank: nowhere."""
        self.notified_only = False
        """Whether only those are read that something was told of."""
        self.notified: Mapping[str, int] = {}
        """What was told before this pass reads, as `NotifiedTable.all` has it."""
        self.installation = installation
        self.clock = clock
        self.verified = verified
        """Spokes whose items this process has seen: see `verify`."""
        self.photo_memory = photo_memory or PhotoMemory()
        self.approved = approved
        self.broken = broken
        """Spokes that can't take part; what they contributed before still counts."""
        self.absent = absent
        """Further ones, of which not even a configuration is known."""
        self.dry = False
        """Whether nothing may be sent."""
        self.leaves_folders = False
        """Whether a missing folder is left missing."""
        self.gate: Gate | None = None
        """What may be written, where that waits for a person."""
        self.erasing = erasing
        """Whether this is part of an erasure: over some of the spokes only, in which nobody
        comes back."""
        self.withdrawn: Mapping[str, int] = {}
        """Items that erasures under way have changed, with the seq that they were given."""
        self.report = PassReport(hub=hub.name, started=clock())
        self.admit(runs)
        self.report.spokes |= {report.uid: report for report in broken}
        self._progress = progress
        self.stated = compile_rules(hub)
        """Who wins conflicts; see `refold.rules_in` for the order of Priority."""
        self.rules: Rules | None = None
        self._retired: Sequence[str] | None = None
        self.adoptions: Sequence[Adoption] = ()
        """Of a plan: what became of contacts in spokes that it saw for the first time."""
        self.configured: Mapping[str, SpokeConfig] | None = None
        """See `keys.configured_in`."""
        self.began = 0
        """The hub's sequence number when this pass began to merge."""

    def admit(self, runs: Sequence[SpokeRun]) -> None:
        """Have these take part."""
        self.runs += runs
        for run in runs:
            run.span = self.span
            self.report.spokes[run.uid] = run.report
            if run.asks_for_spokes and run.config.direction.receives:
                self.asking_for_spokes.append(run)
            if run.groups.any:
                self.asking_for_groups.append(run)

    def called(self, spoke: str) -> str:
        """For messages: a spoke of this hub by its name, one of another by its uid."""
        report = self.report.spokes.get(spoke)
        return f"another spoke (uid {spoke})" if report is None else f"spoke {report.name}"

    def retired(self, tx: Transaction) -> Sequence[str]:
        """The uids of spokes that are no more, whose contributions stay. Asked for once: who
        retires one holds the hub's lease, and so do we."""
        if self._retired is None:
            self._retired = tx.retired()
        return self._retired

    @property
    def may_plan(self) -> bool:
        """Whether this may be about what would be written, for a folder that is not there yet."""
        return self.dry or self.gate is not None

    def makes_folder(self, spoke: str) -> bool:
        """Whether a receiver's folder is made if it is missing."""
        return not self.leaves_folders and (self.gate is None or self.gate.touches(spoke))

    def say(self, line: str) -> None:
        if self._progress is not None:
            self._progress(line)

    def fingerprint(self, content: Content) -> bytes:
        return self.store.cipher.fingerprint(fingerprint_bytes(content))

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Time this as one of the pass's phases, and not as what it is part of."""
        phases, began = self.report.phases, self.clock()
        others = sum(phases.values())
        try:
            yield
        finally:
            within = sum(phases.values()) - others
            took = max(0.0, self.clock() - began - within)
            phases[phase.value] = phases.get(phase.value, 0.0) + took

    @contextmanager
    def isolate(self, run: SpokeRun) -> Iterator[None]:
        """What goes wrong with one spoke stays with it (invariant 13); what concerns the hub or
        the process goes on up."""
        try:
            yield
        except (LeaseLostError, StoreError, KeyUnavailableError):
            raise
        except TargetNotFoundError as error:
            run.fail(problem_of(error))
            run.row.target = None
            with self.store.write() as tx:
                tx.update_spoke(run.uid, target=None)
        except CirahubError as error:
            run.fail(problem_of(error))
        except Exception as error:
            run.fail(unexpected(error, f"spoke {run.uid}"))


def _public(admits: Admission) -> Admission:
    def admits_public(item: Content) -> bool | None:
        return not (isinstance(item, Event) and private(item)) and admits(item)

    return admits_public


def withheld(config: SpokeConfig, kind: Kind = CONTACTS) -> frozenset[str]:
    """The fields that never sync. Raises ConfigurationError for a name that is none of a field,
    and for a filter that needs one of them."""
    never = frozenset(
        field_named(name, where="neverSync", among=kind.withholdable) for name in config.never_sync
    )
    asked = sorted(manifest_name(f) for f in never & fields_of(config.contributes.filter))
    if asked:
        raise ConfigurationError(
            f"neverSync: the filter of contributes asks for {', '.join(asked)}, which is not even "
            "read: leave it out of one of the two"
        )
    return never


def unexpected(error: Exception, what: str) -> Problem:
    """Of a foreign exception, whose text may quote content: only its type and place are told."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f"{frame.tb_frame.f_globals.get('__name__')}:{frame.tb_lineno}" if frame else "?"
    log.error("%s: unexpected %s at %s", what, type(error).__name__, where)
    return Problem(
        "InternalError",
        f"an unexpected {type(error).__name__} at {where}; this spoke is tried again "
        "at the next pass; please report it with the log",
    )


def problem_of(error: CirahubError) -> Problem:
    return Problem(
        error.reason,
        str(error),
        error.stalled,
        error.retry_after if isinstance(error, ThrottledError | LeaseHeldError) else None,
        isinstance(error, CredentialError | AccessDeniedError),
    )


def digest(*parts: object) -> str:
    """Of configuration, for telling whether it changed."""
    return hashlib.blake2b(msgspec.msgpack.encode(parts), digest_size=16).hexdigest()


def item_id(hub: str, place: str, remote: str) -> str:
    """A hub item's id comes from the item that founded it, so that a lost store gives the same
    ids again, and the stamps out there still mean something."""
    return hashlib.blake2b(f"{hub}\0{place}\0{remote}".encode(), digest_size=16).hexdigest()
