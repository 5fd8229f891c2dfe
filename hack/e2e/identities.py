"""Who may sign in as an application, by tokens of a real cluster, and who may not.

Of a federated credential, issuer, subject and audience have to be those of the token
(https://learn.microsoft.com/graph/api/resources/federatedidentitycredential); the code of the
refusal says which was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from cirahub_simulator.client import AdminClient
from cirahub_simulator.entra.trust import CLUSTER
from cirahub_simulator.seed.record import ApplicationRecord, Federation
from cluster.access import Cluster
from demo.narration import Narration
from e2e.release import TEAM, TENANT
from e2e.team import READY_WITHIN, Team

MANIFEST = Path(__file__).with_name("identities.yaml")
SIGNED_IN = "Connection by-the-pod"
STRANGER = f"system:serviceaccount:{TEAM}:stranger"
AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True, slots=True)
class Refused:
    """A Connection of the manifest, whose application does not take the stranger's token."""

    connection: str
    client: str
    code: str
    issuer: str = CLUSTER
    subject: str = STRANGER
    audience: str = AUDIENCE


REFUSED = (
    Refused(
        "other-subject",
        "c14a40b0-0000-4000-8000-0000000000e1",
        "AADSTS700213",
        subject=f"system:serviceaccount:{TEAM}:somebody-else",
    ),
    Refused(
        "other-cluster",
        "c14a40b0-0000-4000-8000-0000000000e2",
        "AADSTS700211",
        issuer="https://oidc.other-cluster.example",
    ),
    Refused(
        "other-audience",
        "c14a40b0-0000-4000-8000-0000000000e3",
        "AADSTS700212",
        audience="api://AzureADTokenExchangeUSGov",
    ),
)


def register(admin: AdminClient) -> None:
    """The applications, with one federated credential each."""
    records = (
        ApplicationRecord(
            client_id=refused.client,
            display_name=refused.connection,
            home_tenant=TENANT,
            granted={TENANT: ["Contacts.Read"]},
            federated=[
                Federation(
                    issuer=refused.issuer, subject=refused.subject, audiences=(refused.audience,)
                )
            ],
        )
        for refused in REFUSED
    )
    admin.seed([msgspec.to_builtins(record) for record in records])


def play(cluster: Cluster, admin: AdminClient, team: Team, tell: Narration) -> None:
    """Raises DemoError."""
    register(admin)
    cluster.kubectl("apply", "--filename", str(MANIFEST))

    def as_it_should_be() -> bool | None:
        told = team.standings()
        return (
            SIGNED_IN in told
            and told[SIGNED_IN].ready
            and all(_refused(str(told.get(f"Connection {one.connection}")), one) for one in REFUSED)
        ) or None

    tell.until(
        "one signs in, and the others are refused",
        as_it_should_be,
        within=READY_WITHIN,
        status=team.waiting_for,
    )
    told = team.standings()
    for name in (SIGNED_IN, *(f"Connection {one.connection}" for one in REFUSED)):
        tell.say(str(told[name]))
    cluster.kubectl("delete", "--filename", str(MANIFEST))


def _refused(told: str, how: Refused) -> bool:
    return "AssertionRejected" in told and how.code in told
