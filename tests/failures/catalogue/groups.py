"""What goes wrong with groups that filters name."""

from __future__ import annotations

from typing import Any

from tests.failures.catalogue.mending import NEXT_PASS, own
from tests.failures.catalogue.outcome import BOB, bob, contoso, staff
from tests.failures.situation import RECONCILING, STALLED, Situation
from tests.failures.town import Town

ROLES = ("Contacts.ReadWrite", "User.Read.All")
ROLE = "GroupMember.Read.All"


def _group(town: Town) -> dict[str, Any]:
    """Everybody whom Bob is to get is in it."""
    return {
        "kind": "group",
        "id": f"{town.tenant[:-4]}0001",
        "tenant": town.tenant,
        "displayName": "Team",
        "members": [town.mailboxes["ann"]],
    }


def _asking(town: Town) -> dict[str, Any]:
    """Bob, who is to get who is not in the group."""
    condition = {"field": "group", "operator": "In", "values": [_group(town)["id"]]}
    return town.bob(receives={"filter": {"none": [condition]}})


def _permit(town: Town, *roles: str) -> None:
    town.admin.grant(town.client, town.tenant, [*ROLES, *roles])


async def _unknown(town: Town) -> None:
    _permit(town, ROLE)
    await town.stage.apply(town.federated(), town.hub(), town.ann(), _asking(town))


async def _made(town: Town) -> None:
    town.admin.seed([_group(town)])


async def _not_permitted(town: Town) -> None:
    await _made(town)
    await town.stage.apply(town.federated(), town.hub(), town.ann(), _asking(town))


async def _permitted(town: Town) -> None:
    _permit(town, ROLE)


async def _deleted(town: Town) -> None:
    _permit(town, ROLE)
    await _made(town)
    await town.well(_asking(town))
    town.admin.remove_group(_group(town)["id"])
    town.clock.ahead += 1800


SITUATIONS = (
    Situation(
        id="group-unknown",
        happens="A filter names a group that the tenant has not got. Nothing is synced with its "
        "Spoke.",
        cause=_unknown,
        seen=bob("GroupNotFound"),
        goes_with=STALLED,
        names="group [0-9a-f-]{36} can't be read: connection [^ ]+/contoso: ",
        remedy="restore it, or name another one; until it has been read, nothing is synced here",
        also=(staff("SpokesNotReady"),),
        do="Correct the filter: the group's object id, or its e-mail address. Or restore it.",
        mend=_made,
        recovers=NEXT_PASS,
        after=BOB,
    ),
    Situation(
        id="group-permission-missing",
        happens="A filter names a group, and the application may not read who is in groups.",
        cause=_not_permitted,
        seen=contoso("PermissionMissing"),
        goes_with=RECONCILING,
        names="GroupMember.Read.All",
        remedy="consent",
        also=(bob("AccessDenied"), staff("SpokesNotReady")),
        do="Grant the application GroupMember.Read.All in the tenant, and consent; "
        "`status.consentLink` leads there. Stalled once it is missing for ten minutes.",
        mend=_permitted,
        recovers="When the Connection is checked next.",
        after=BOB,
    ),
    Situation(
        id="group-deleted",
        happens="A group that a filter names is deleted, or can't be read any more. Its Spoke goes "
        "on with who was in it when it was read last: nobody comes or goes because of that.",
        start=own,
        cause=_deleted,
        seen=bob("GroupNotFound"),
        goes_with=STALLED,
        names="group [0-9a-f-]{36} can't be read: connection [^ ]+/contoso: ",
        remedy="restore it, or name another one; who is in it counts as at 20",
        also=(staff("SpokesNotReady"),),
        do="Restore the group, or correct the filter.",
        mend=_made,
        recovers=NEXT_PASS,
        after=BOB,
    ),
)
