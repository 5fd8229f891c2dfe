"""The summariser: what was found out about an object becomes its status. Pure; nothing else makes
conditions.

Every status is made whole from the result and the status before it, so that a result that says
nothing new yields an equal status, which is then not written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cirahub_operator.api.connection import PERMISSIONS, Connection, ConnectionStatus
from cirahub_operator.api.hub import WORST_SPOKES, Hub, HubStatus, SpokeCounts, WorstSpoke
from cirahub_operator.api.meta import Condition, ConditionStatus, Metadata, Status
from cirahub_operator.api.spoke import ChangeCounts, Spoke, SpokeStatus
from cirahub_operator.approvals import (
    awaited,
    first_sync_status,
    first_syncs,
    held_back,
    members_guarded,
    plan_status,
    source_emptied,
    stage_awaited,
)
from cirahub_operator.cluster import Unparsable
from cirahub_operator.conditions import (
    APPROVAL_PENDING,
    CONFLICTS_PENDING,
    CONSENTED,
    CREDENTIALS_EXPIRING,
    CREDENTIALS_READY,
    DELETION_GUARDED,
    ERASURE_INCOMPLETE,
    MEMBERS_GUARDED,
    READY,
    RECONCILING,
    STALLED,
    THROTTLED,
    Statement,
    not_ready,
    plural,
    ready,
    stated,
)
from cirahub_operator.departures import Departures
from cirahub_operator.disputes import undecided
from cirahub_operator.items_failing import items_failing
from cirahub_operator.notifying import not_told
from cirahub_operator.standing import Standing
from cirahub_sync.endpoints.exchange_admin.permissions import DIRECTORY_ROLE
from cirahub_sync.engine.report import Counts, PassReport, Problem, SpokeReport
from cirahub_sync.identity.base import SignIn
from cirahub_sync.identity.consent import consent_link
from cirahub_sync.origins import Origins

RETRYING = "Retrying"
SYNCED = "Synced"
SUSPENDED = "Suspended"
SPOKES_NOT_READY = "SpokesNotReady"
PROGRESSING = "Progressing"
ERASING = "Erasing"
RETAINING = "Retaining"
ERASURE_PENDING = "ErasurePending"
IN_USE = "InUse"
SIGNED_IN = "SignedIn"
PERMISSION_MISSING = "PermissionMissing"
CONSENT = frozenset({"ClientNotFound", "ClientDisabled", "ConsentMissing"})
"""Reasons for which an administrator of the tenant has to consent, or to do so again."""
NOBODY_LEAVES = Departures()
REAL = Origins()
"""Everything where Microsoft has it."""


@dataclass(frozen=True)
class Leaving:
    """The object is being deleted, and what it left behind elsewhere is being taken care of."""

    reason: str
    message: str


def connection_status(
    connection: Connection,
    result: SignIn | Problem | Leaving,
    *,
    now: datetime,
    checked: bool,
    expiry_warning: float,
    origins: Origins = REAL,
) -> ConnectionStatus:
    """`checked`: signing in was tried just now. `expiry_warning` in seconds. `origins`: where
    Entra's page is."""
    before = connection.status
    known = before.observed_generation == connection.metadata.generation
    expiry = before.credential_expiry_time if known else None
    permissions: dict[str, tuple[str, ...] | None] = {}
    link = _consent_link(connection, origins)
    match result:
        case SignIn():
            statements = _signed_in(connection, result, link)
            ends = result.credential.expires_at
            expiry = None if ends is None else whole_seconds(ends)
            permissions = {
                "permissions_missing": (result.missing or ())[:PERMISSIONS] or None,
                "permissions_in_excess": result.excess[:PERMISSIONS] or None,
            }
        case Leaving():
            statements = [not_ready(result.reason, result.message)]
        case Problem():
            statements = problem_statements(result)
            statements.insert(1, Statement(CREDENTIALS_READY, False, result.reason, result.message))
            if result.reason in CONSENT and link:
                message = f"{result.message}. To consent: {link}"
                statements.append(Statement(CONSENTED, False, result.reason, message))
    if expiry is not None and (expiry - now).total_seconds() <= expiry_warning:
        statements.append(_expiring(connection, expiry, now))
    lacking = any(one.type == CONSENTED and not one.holds for one in statements)
    return ConnectionStatus(
        observed_generation=connection.metadata.generation,
        conditions=conditions_of(connection.metadata, before.conditions, statements, now),
        last_handled_reconcile_at=connection.metadata.requested_at,
        last_check_time=_seconds(now) if checked else before.last_check_time,
        credential_expiry_time=expiry,
        consent_link=link if lacking else None,
        **permissions,
    )


def _consent_link(connection: Connection, origins: Origins) -> str:
    """Blank where nobody has to consent."""
    tenant, client = connection.tenant_id, connection.client_id
    if not tenant:
        return ""
    return origins.rewrite(consent_link(connection.spec.cloud, tenant, client))


def _signed_in(connection: Connection, result: SignIn, link: str) -> list[Statement]:
    message = f"signed in to {connection.leads_to}"
    accepted = Statement(CREDENTIALS_READY, True, SIGNED_IN, message)
    if result.missing:
        text = f"the application has not got {', '.join(result.missing)}"
        if DIRECTORY_ROLE in result.missing:
            text += f"; assign it the role {DIRECTORY_ROLE} of Entra ID in this tenant"
        if any(one != DIRECTORY_ROLE for one in result.missing):
            text += f"; grant it and consent: {link}"
        if any(one.startswith("Contacts.") for one in result.missing):
            text += (
                " (if Exchange's role-based access control for applications grants the mailboxes "
                "instead, set microsoft365.mailboxAccess: ExchangeRBAC)"
            )
        lacking = Problem(PERMISSION_MISSING, text, stalled=not result.settling)
        refused = Statement(CONSENTED, False, PERMISSION_MISSING, text)
        return [*problem_statements(lacking), accepted, refused]
    statements = [ready(SIGNED_IN, message), accepted]
    if result.missing is not None:
        text = "all permissions that are needed are granted"
        if result.excess:
            shown = ", ".join(result.excess[:PERMISSIONS])
            text += f", and more than that: {shown}; withdraw what nothing else needs"
        statements.append(Statement(CONSENTED, True, "Granted", text))
    return statements


def _expiring(connection: Connection, expiry: datetime, now: datetime) -> Statement:
    what, use = "client secret or certificate", "register it with the application"
    if connection.spec.auth.basic is not None:
        what, use = "password", "give it to the account"
    verb = "expires" if expiry > now else "expired"
    return Statement(
        CREDENTIALS_EXPIRING,
        True,
        "ExpiresSoon" if expiry > now else "Expired",
        f"the {what} {verb} at {expiry:%Y-%m-%d %H:%M} UTC; make a new one, {use}, and store "
        "it as a new version: it is taken up by itself",
    )


def spoke_status(spoke: Spoke, result: Problem | Leaving, *, now: datetime) -> SpokeStatus:
    """Without having taken part in a pass."""
    leaving = isinstance(result, Leaving)
    return spoke.status.model_copy(
        update={
            "observed_generation": spoke.metadata.generation,
            "conditions": conditions_of(
                spoke.metadata, spoke.status.conditions, waiting_statements(result), now
            ),
            "last_handled_reconcile_at": (
                spoke.status.last_handled_reconcile_at if leaving else spoke.metadata.requested_at
            ),
        }
    )


def spoke_synced(
    spoke: Spoke, result: SpokeReport, *, report: PassReport, now: datetime
) -> SpokeStatus:
    """After a pass. What the spoke holds is kept from before where this pass did not get to it."""
    before = spoke.status
    reached = result.problem is None
    counts = result.counts
    changed = changes_of(counts)
    news = changed != ChangeCounts()
    return SpokeStatus(
        observed_generation=spoke.metadata.generation,
        conditions=conditions_of(
            spoke.metadata,
            before.conditions,
            _spoke_statements(spoke, result, report.approval),
            now,
        ),
        last_handled_reconcile_at=spoke.metadata.requested_at,
        last_change_time=whole_seconds(report.finished) if news else before.last_change_time,
        last_change=changed if news else before.last_change,
        items=counts.items if reached else before.items,
        copies=counts.copies if reached else before.copies,
        pending=counts.pending if reached else before.pending,
        unreadable=counts.unreadable if reached else before.unreadable,
        first_sync=first_sync_status(result.stage) if reached else before.first_sync,
        target=result.target or before.target,
    )


def invalid_status(found: Unparsable, *, now: datetime) -> Status:
    """Of an object that does not fit our models."""
    message = f"{found.why}; correct it, or update the operator"
    statements = problem_statements(Problem("InvalidSpec", message, stalled=True))
    return Status(
        observed_generation=found.metadata.generation,
        conditions=conditions_of(found.metadata, found.status.conditions, statements, now),
        last_handled_reconcile_at=found.metadata.requested_at,
    )


def hub_status(
    hub: Hub,
    report: PassReport,
    spokes: Mapping[str, Standing],
    *,
    handled: str | None,
    now: datetime,
    departures: Departures = NOBODY_LEAVES,
) -> HubStatus:
    """After a pass. `spokes` by label, as they are now; `handled` is the `requestedAt` that the
    pass answers."""
    before = hub.status
    complete = report.problem is None
    counts = _spoke_counts(spokes)
    statements = _hub_statements(hub, report, spokes, departures)
    return HubStatus(
        observed_generation=hub.metadata.generation,
        conditions=conditions_of(hub.metadata, before.conditions, statements, now),
        last_handled_reconcile_at=handled,
        last_sync_time=whole_seconds(report.finished) if complete else before.last_sync_time,
        items=report.items if complete else before.items,
        pending=report.pending if complete else before.pending,
        conflicts=report.conflicts if complete else before.conflicts,
        conflicts_pending=(report.undecided or None) if complete else before.conflicts_pending,
        duplicates=(report.duplicates or None) if complete else before.duplicates,
        approval=(report.approval or None) if complete else before.approval,
        plan=plan_status(report.plan) if complete else before.plan,
        first_syncs=first_syncs(report) if complete else before.first_syncs,
        spokes=counts,
        leaving=departures.listed,
    )


def hub_waiting(
    hub: Hub,
    state: Problem | Leaving,
    *,
    handled: str | None,
    now: datetime,
    spokes: Mapping[str, Standing] | None = None,
    departures: Departures = NOBODY_LEAVES,
) -> HubStatus:
    """Without a pass: suspended, leaving, or something stood in its way."""
    statements = [*waiting_statements(state), *departures.statements]
    return hub.status.model_copy(
        update={
            "observed_generation": hub.metadata.generation,
            "conditions": conditions_of(hub.metadata, hub.status.conditions, statements, now),
            "last_handled_reconcile_at": handled,
            "spokes": hub.status.spokes if spokes is None else _spoke_counts(spokes),
            "leaving": departures.listed,
        }
    )


def hub_progress(hub: Hub, message: str, *, now: datetime) -> HubStatus:
    """During a pass that takes long, or the first one of a generation. The generation counts as
    observed only when the pass is through."""
    settled = next((one for one in hub.status.conditions if one.type == READY), None)
    current = settled is not None and hub.status.observed_generation == hub.metadata.generation
    statements = [
        (
            Statement(
                READY, settled.status is ConditionStatus.TRUE, settled.reason, settled.message
            )
            if settled is not None and current
            else not_ready(PROGRESSING, "a pass is running")
        ),
        Statement(RECONCILING, True, PROGRESSING, message),
    ]
    statements.extend(
        Statement(lasting.type, True, lasting.reason, lasting.message)
        for kind in (ERASURE_INCOMPLETE, CONFLICTS_PENDING, APPROVAL_PENDING)
        if (lasting := hub.status.condition(kind)) is not None
    )
    return hub.status.model_copy(
        update={"conditions": conditions_of(hub.metadata, hub.status.conditions, statements, now)}
    )


def erasure_pending(status: Status) -> bool:
    """Whether an attempt to erase was made and did not get to the end."""
    condition = status.condition(READY)
    return condition is not None and condition.reason == ERASURE_PENDING


def _hub_statements(
    hub: Hub, report: PassReport, spokes: Mapping[str, Standing], departures: Departures
) -> Sequence[Statement]:
    extra = list(departures.statements)
    if report.problem is not None:
        return [*problem_statements(report.problem), *extra]
    throttled = sum(one.throttled_seconds > 0 for one in report.everywhere)
    if throttled:
        extra.append(
            Statement(THROTTLED, True, "Throttled", f"the service slowed {throttled} spokes down")
        )
    emptied = sum(one.source_emptied for one in report.spokes.values())
    emptied += sum(one.sources_emptied for one in report.sets.values())
    name, namespace = hub.metadata.name, hub.metadata.namespace
    if emptied:
        told = f"{plural(emptied, 'spoke')} suddenly read empty"
        message = source_emptied(told, name, namespace, report.approval)
        extra.append(Statement(DELETION_GUARDED, True, "SourceEmptied", message))
    elif report.guarded:
        message = held_back(name, namespace, report.guarded, report.approval)
        extra.append(Statement(DELETION_GUARDED, True, "LimitsExceeded", message))
    if report.undecided:
        extra.append(undecided(report))
    extra += awaited(name, namespace, report)
    extra += members_guarded(name, namespace, report.sets.values())
    failing = {
        name: one for name, one in spokes.items() if not one.ready and one.reason != SUSPENDED
    }
    broken = {name: one for name, one in failing.items() if not one.guarded}
    if broken:
        message = f"{len(broken)} of {len(spokes)} spokes are not ready: " + ", ".join(
            f"{worst.name} ({worst.reason})" for worst in _worst(broken)
        )
        if all(one.stalled for one in broken.values()):
            after = Statement(STALLED, True, SPOKES_NOT_READY, message)
        else:
            after = Statement(RECONCILING, True, RETRYING, message)
        return [not_ready(SPOKES_NOT_READY, message), after, *extra]
    guard = next((one for one in extra if one.type in {DELETION_GUARDED, MEMBERS_GUARDED}), None)
    if guard is not None:
        return [not_ready(guard.type, guard.message), *extra]
    if not spokes:
        return [ready("NoSpokes", _also("no Spoke names this hub yet", departures)), *extra]
    message = f"{plural(len(spokes) - len(report.sets), 'spoke')}, "
    if report.sets:
        members = sum(one.total for one in report.sets.values())
        message += f"{plural(len(report.sets), 'set')} of {plural(members, 'member')}, "
    message += plural(report.items, "item")
    if report.pending:
        message += f", {report.pending} pending"
    return [ready(SYNCED, _also(message, departures)), *extra]


def _also(message: str, departures: Departures) -> str:
    return f"{message}; {departures.phrase}" if departures.phrase else message


def _spoke_statements(spoke: Spoke, report: SpokeReport, approval: str) -> list[Statement]:
    statements = []
    if report.throttled_seconds > 0:
        message = "the service asked for a slower pace; what is left follows in the next passes"
        statements.append(Statement(THROTTLED, True, "Throttled", message))
    hub, namespace = spoke.spec.hub_ref.name, spoke.hub_namespace
    if report.source_emptied:
        told = f"the folder held {plural(report.guarded, 'item')} and suddenly reads empty"
        message = source_emptied(told, hub, namespace, report.approval)
        statements.append(Statement(DELETION_GUARDED, True, "SourceEmptied", message))
    elif report.guarded:
        message = held_back(hub, namespace, report.guarded, approval)
        statements.append(Statement(DELETION_GUARDED, True, "LimitsExceeded", message))
    statements += [*items_failing(report), *not_told(report)]
    if report.stage is not None:
        statements.append(stage_awaited(hub, namespace, report.stage))
    guard = next((one for one in statements if one.type == DELETION_GUARDED), None)
    if (problem := report.problem) is not None:
        if guard is not None and report.source_emptied:
            problem = Problem(problem.reason, guard.message, problem.stalled)
        return [*problem_statements(problem), *statements]
    if guard is not None:
        return [not_ready(DELETION_GUARDED, guard.message), *statements]
    parts = []
    if spoke.spec.direction.contributes:
        parts.append(f"contributes {plural(report.counts.items, 'item')}")
    if spoke.spec.direction.receives:
        parts.append(f"holds {plural(report.counts.copies, 'copy', 'copies')}")
    if report.counts.pending:
        parts.append(f"{report.counts.pending} pending")
    if report.counts.unreadable:
        parts.append(f"{report.counts.unreadable} unreadable")
    return [ready(SYNCED, ", ".join(parts)), *statements]


def waiting_statements(state: Problem | Leaving) -> list[Statement]:
    if isinstance(state, Problem):
        return problem_statements(state)
    return [not_ready(state.reason, state.message)]


def problem_statements(problem: Problem) -> list[Statement]:
    """Stalled if somebody has to do something, else being retried. Suspended is neither."""
    statements = [not_ready(problem.reason, problem.message)]
    if problem.reason == SUSPENDED:
        return statements
    if problem.stalled:
        return [*statements, Statement(STALLED, True, problem.reason, problem.message)]
    return [*statements, Statement(RECONCILING, True, RETRYING, problem.message)]


def _spoke_counts(spokes: Mapping[str, Standing]) -> SpokeCounts:
    count = sum(one.ready for one in spokes.values())
    return SpokeCounts(
        total=len(spokes),
        ready=count,
        summary=f"{count}/{len(spokes)}",
        worst=_worst({name: one for name, one in spokes.items() if not one.ready}),
    )


def _worst(failing: Mapping[str, Standing]) -> tuple[WorstSpoke, ...]:
    order = sorted(failing, key=lambda name: (not failing[name].stalled, name))
    return tuple(
        WorstSpoke(name=name, reason=failing[name].reason) for name in order[:WORST_SPOKES]
    )


def changes_of(counts: Counts) -> ChangeCounts:
    return ChangeCounts(
        pulled=counts.pulled,
        merged=counts.merged,
        removed=counts.removed,
        created=counts.created,
        updated=counts.updated,
        deleted=counts.deleted,
        adopted=counts.adopted,
        failed=counts.failed,
    )


def conditions_of(
    metadata: Metadata,
    before: tuple[Condition, ...],
    statements: Sequence[Statement],
    now: datetime,
) -> tuple[Condition, ...]:
    return stated(
        statements,
        before=before,
        generation=metadata.generation,
        now=_seconds(now),
    )


def _seconds(time: datetime) -> datetime:
    """As Kubernetes keeps times: UTC, whole seconds."""
    return time.astimezone(UTC).replace(microsecond=0)


def whole_seconds(posix: float) -> datetime:
    return datetime.fromtimestamp(int(posix), UTC)
