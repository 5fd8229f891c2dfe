"""States that objects come into, and what GitOps tools have to make of each.

Values only: `test_health.py` brings each one about on a real API server, by the real operator.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.operator.scripted import ScriptedEngine
from tests.operator.stage import Manifest, Stage, connection, hub, spoke, spoke_set

from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.errors import CredentialError, EndpointUnavailableError

CURRENT, IN_PROGRESS, FAILED, TERMINATING = "Current", "InProgress", "Failed", "Terminating"
"""Of kstatus: https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md"""
HEALTHY, PROGRESSING, DEGRADED, SUSPENDED = "Healthy", "Progressing", "Degraded", "Suspended"
"""Of Argo CD: https://argo-cd.readthedocs.io/en/stable/operator-manual/health/"""


@dataclass(frozen=True, kw_only=True)
class State:
    id: str
    means: str
    """For the page."""
    kind: str = "hub"
    name: str = "staff"
    manifests: tuple[Manifest, ...] = (connection(), hub(), spoke())
    script: Callable[[ScriptedEngine], None] = lambda engine: None
    comes: tuple[str, str, str] | None = ("Ready", "True", "Synced")
    """Type, status and reason of the condition that is waited for; None: no operator runs."""
    after: Callable[[Stage], Awaitable[None]] | None = None
    """What happens once the operator has ended."""
    kstatus: str
    argo: str
    message: str
    """Words that Argo CD shows."""


def _unreachable(engine: ScriptedEngine) -> None:
    engine.check_error = EndpointUnavailableError("Entra ID cannot be reached")


def _refused(engine: ScriptedEngine) -> None:
    engine.check_error = CredentialError("the client secret is wrong", reason="SecretInvalid")


def _guarded(engine: ScriptedEngine) -> None:
    def guard(report: PassReport) -> None:
        report.approval = "abc123"
        next(iter(report.spokes.values())).guarded = 60

    engine.shape = guard


def _held(engine: ScriptedEngine) -> None:
    def hold(report: PassReport) -> None:
        for one in report.sets.values():
            one.held, one.approval = 2, "let-them-go"

    engine.shape = hold


def _hanging(engine: ScriptedEngine) -> None:
    engine.hanging = True


def _spoke_fails(engine: ScriptedEngine) -> None:
    def fail(report: PassReport) -> None:
        one = next(iter(report.spokes.values()))
        one.problem = Problem("TargetNotFound", "there is no such mailbox", stalled=True)

    engine.shape = fail


async def _changed(stage: Stage) -> None:
    await stage.apply(hub(interval="2h"))


async def _deleted(stage: Stage) -> None:
    await stage.delete("hub", "staff")


def _all() -> tuple[State, ...]:
    return (
        State(
            id="new",
            means="applied, and nobody has looked at it yet",
            comes=None,
            kstatus=IN_PROGRESS,
            argo=PROGRESSING,
            message="waits for cirahub-operator",
        ),
        State(
            id="first-pass",
            means="a Hub's first pass is running",
            script=_hanging,
            comes=("Reconciling", "True", "Progressing"),
            kstatus=IN_PROGRESS,
            argo=PROGRESSING,
            message="waits for cirahub-operator",
        ),
        State(
            id="synced-hub",
            means="a Hub is in sync",
            kstatus=CURRENT,
            argo=HEALTHY,
            message="1 spoke",
        ),
        State(
            id="synced-spoke",
            means="a Spoke is in sync",
            kind="spoke",
            name="ann",
            kstatus=CURRENT,
            argo=HEALTHY,
            message="",
        ),
        State(
            id="synced-set",
            means="a SpokeSet is in sync",
            kind="spokeset",
            name="everybody",
            manifests=(connection(), hub(), spoke_set()),
            kstatus=CURRENT,
            argo=HEALTHY,
            message="",
        ),
        State(
            id="signed-in",
            means="a Connection is signed in",
            kind="connection",
            name="contoso",
            comes=("Ready", "True", "SignedIn"),
            kstatus=CURRENT,
            argo=HEALTHY,
            message="signed in",
        ),
        State(
            id="changed",
            means="changed, and not looked at since",
            after=_changed,
            kstatus=IN_PROGRESS,
            argo=PROGRESSING,
            message="waits for cirahub-operator",
        ),
        State(
            id="retrying",
            means="something fails that may come right by itself",
            kind="connection",
            name="contoso",
            script=_unreachable,
            comes=("Reconciling", "True", "Retrying"),
            kstatus=IN_PROGRESS,
            argo=PROGRESSING,
            message="Entra ID cannot be reached",
        ),
        State(
            id="stalled",
            means="somebody has to change something",
            kind="connection",
            name="contoso",
            script=_refused,
            comes=("Stalled", "True", "SecretInvalid"),
            kstatus=FAILED,
            argo=DEGRADED,
            message="the client secret is wrong",
        ),
        State(
            id="spoke-stalled",
            means="a Spoke of a Hub is stalled: the Spoke tells it",
            kind="spoke",
            name="ann",
            script=_spoke_fails,
            comes=("Stalled", "True", "TargetNotFound"),
            kstatus=FAILED,
            argo=DEGRADED,
            message="there is no such mailbox",
        ),
        State(
            id="suspended",
            means="a Hub is suspended",
            manifests=(connection(), hub(suspend=True), spoke()),
            comes=("Ready", "False", "Suspended"),
            kstatus=IN_PROGRESS,
            argo=SUSPENDED,
            message="suspended",
        ),
        State(
            id="spoke-suspended",
            means="the Hub of a Spoke is suspended",
            kind="spoke",
            name="ann",
            manifests=(connection(), hub(suspend=True), spoke()),
            comes=("Ready", "False", "Suspended"),
            kstatus=IN_PROGRESS,
            argo=SUSPENDED,
            message="suspended",
        ),
        State(
            id="guarded",
            means="deletions wait for a person",
            script=_guarded,
            comes=("DeletionGuarded", "True", "LimitsExceeded"),
            kstatus=IN_PROGRESS,
            argo=SUSPENDED,
            message="cirahub.io/approve=abc123",
        ),
        State(
            id="members-guarded",
            means="members that are gone wait for a person",
            kind="spokeset",
            name="everybody",
            manifests=(connection(), hub(), spoke_set()),
            script=_held,
            comes=("MembersGuarded", "True", "LimitsExceeded"),
            kstatus=IN_PROGRESS,
            argo=SUSPENDED,
            message="2 of 3 members are gone",
        ),
        State(
            id="deleted",
            means="deleted, and held until it is erased",
            after=_deleted,
            kstatus=TERMINATING,
            argo=PROGRESSING,
            message="",
        ),
    )


STATES = _all()
