"""What goes wrong with mailboxes, and what Microsoft Graph says of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.failures.catalogue.mending import (
    ASKED_FOR,
    NEXT_PASS,
    PAUSES,
    SENT_AGAIN,
    answers,
    half_an_hour,
    own,
    room,
)
from tests.failures.catalogue.outcome import ANN, BOB, STAFF, ann, failing, staff
from tests.failures.situation import RECONCILING, STALLED, Sample, Seen, Situation
from tests.failures.town import Town

from cirahub_sync.endpoints.graph.properties import STAMP

TEAM = "Team"


def _team(town: Town) -> dict[str, Any]:
    return town.ann(mailbox={"address": town.address("ann"), "folder": TEAM})


def _user(town: Town, name: str = "ann") -> str:
    return town.mailboxes[name]


async def _no_user(town: Town) -> None:
    town.admin.call("DELETE", f"/users/{_user(town)}")
    await town.stage.apply(town.federated(), town.hub(), town.ann())


async def _user_restored(town: Town) -> None:
    town.admin.seed(
        [one for one in town.records() if _user(town) in (one.get("id"), one.get("mailbox"))]
    )


async def _no_licence(town: Town) -> None:
    town.admin.call("PATCH", f"/users/{_user(town)}", {"mailbox": False})
    await town.stage.apply(town.federated(), town.hub(), town.ann())


async def _licensed(town: Town) -> None:
    town.admin.call("PATCH", f"/users/{_user(town)}", {"mailbox": True})


async def _no_folder(town: Town) -> None:
    await town.stage.apply(town.federated(), town.hub(), _team(town))


async def _folder(town: Town) -> None:
    town.admin.import_contacts(_user(town), [town.person(1), town.person(2)], [TEAM])


async def _folder_deleted(town: Town) -> None:
    await _folder(town)
    await town.well(_team(town), people=2)
    folders = f"/graph/v1.0/users/{_user(town)}/contactFolders"
    found = town.admin.call("GET", folders)["value"]
    folder = next(one["id"] for one in found if one["displayName"] == TEAM)
    town.admin.call("DELETE", f"{folders}/{folder}")


def _fails(kind: str, **fields: object) -> Callable[[Town], Awaitable[None]]:
    async def act(town: Town) -> None:
        await town.well()
        path = f"/users/{_user(town)}/"
        town.admin.add_rule(kind, id=town.tenant, service="graph", path=path, **fields)

    return act


async def _managed_elsewhere(town: Town) -> None:
    await town.well()
    stamp = "another-installation/hub/item/spoke/attempt"
    copy = town.person(70) | {"singleValueExtendedProperties": [{"id": STAMP, "value": stamp}]}
    town.admin.import_contacts(_user(town), [copy])


async def _taken_away(town: Town) -> None:
    for contact in town.held("ann"):
        if contact["surname"] == "70":
            town.admin.delete_contact(_user(town), contact["id"])


async def _unwanted(town: Town) -> None:
    await town.well()
    nameless = town.person(71)
    del nameless["givenName"]
    town.admin.import_contacts(_user(town), [nameless])
    town.admin.switch(given_name_required=True)


async def _corrected(town: Town) -> None:
    for contact in town.held("ann"):
        if contact["surname"] == "71":
            town.admin.update_contact(_user(town), contact["id"], {"givenName": "Anew"})


async def _garbled(town: Town) -> None:
    await town.well()
    town.admin.add_rule(
        "replace",
        id=town.tenant,
        service="graph",
        path=f"/users/{_user(town)}/.*/delta",
        find='"surname":"71"',
        put='"surname":71',
    )
    town.admin.import_contacts(_user(town), [town.person(71)])


async def _legible(town: Town) -> None:
    town.admin.remove_rule(town.tenant)
    await _corrected(town)


async def _full(town: Town) -> None:
    await town.well()
    town.admin.add_rule(
        "status",
        id=town.tenant,
        service="graph",
        method="POST",
        path=f"/users/{_user(town, 'bob')}/",
        batched=True,
        status=507,
        code="ErrorQuotaExceeded",
    )
    town.admin.import_contacts(_user(town), [town.person(71)])


async def _long_throttled(town: Town) -> None:
    await town.well()
    path = f"/users/{_user(town)}/"
    town.admin.add_rule(
        "status", id=town.tenant, service="graph", path=path, status=429, retry_after=1800
    )


SITUATIONS = (
    Situation(
        id="mailbox-missing",
        happens="The tenant has no user with the address that the Spoke names.",
        cause=_no_user,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: the user of a spoke's mailbox: the tenant ",
        remedy="restore the user, or delete the spoke and create one for another mailbox",
        also=(staff("SpokesNotReady"),),
        do="Restore the user, or delete the Spoke and create one for another mailbox.",
        mend=_user_restored,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="mailbox-without-licence",
        happens="The user has no mailbox in Exchange Online.",
        cause=_no_licence,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: .* mailbox [0-9a-f-]{36}",
        remedy="license it, or delete the spoke",
        also=(staff("SpokesNotReady"),),
        do="License the user, or delete the Spoke.",
        mend=_licensed,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="folder-missing",
        happens="The mailbox of a Spoke that only contributes has no folder of that path.",
        cause=_no_folder,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: mailbox [0-9a-f-]{36} has no contact folder at level 1",
        remedy="make it in the mailbox",
        also=(staff("SpokesNotReady"),),
        do="Have the mailbox's user make the folder. (For a Spoke that receives, the operator "
        "makes it.)",
        mend=_folder,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="folder-deleted",
        happens="The mailbox's user deletes the folder of a Spoke that contributes. What came from "
        "it stays in the other mailboxes.",
        cause=_folder_deleted,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: mailbox [0-9a-f-]{36}",
        remedy="restore it|make it in the mailbox",
        also=(staff("SpokesNotReady"),),
        do="Have the user restore it; or delete the Spoke, if it was meant.",
        mend=_folder,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="graph-failing",
        happens="Microsoft Graph answers with server errors for a mailbox.",
        cause=_fails("status", status=503),
        seen=ann("EndpointUnavailable"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso: .*Graph answered 503",
        remedy="will be tried again",
        also=(staff("SpokesNotReady"),),
        do="Nothing.",
        mend=answers,
        recovers=PAUSES,
        after=ANN,
    ),
    Situation(
        id="graph-unreachable",
        happens="Microsoft Graph can't be reached, or drops connections.",
        cause=_fails("drop"),
        seen=ann("EndpointUnavailable"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso: Graph at ",
        remedy="tried again",
        also=(staff("SpokesNotReady"),),
        do="Nothing, if Graph is away; else look at the network between here and it.",
        mend=answers,
        recovers=PAUSES,
        after=ANN,
    ),
    Situation(
        id="answer-cut-off",
        happens="An answer of Graph can't be read: cut off, or not from Graph at all.",
        cause=_fails("truncate"),
        seen=ann("EndpointUnavailable"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso: ",
        remedy="tried again",
        also=(staff("SpokesNotReady"),),
        do="Nothing; if it goes on, look for what stands between here and Graph.",
        mend=answers,
        recovers=PAUSES,
        after=ANN,
    ),
    Situation(
        id="throttled",
        happens="The service asks for a slower pace (429 with `Retry-After`).",
        cause=_fails("status", status=429, retry_after=3, count=1),
        seen=Seen(kind="Spoke", name="ann", type="Throttled", status="True", reason="Throttled"),
        names="the service asked for a slower pace",
        remedy="what is left follows",
        event=("Normal", "Throttled"),
        sample=Sample(
            metric="cirahub_spoke_throttled_seconds_total",
            labels={"hub": "staff", "spoke": "ann"},
            value=2,
            at_least=True,
        ),
        do="Nothing. If it goes on, give the Hub a longer `interval`.",
        mend=answers,
        recovers="In the same pass, or the next one.",
        after=ANN,
    ),
    Situation(
        id="throttled-for-long",
        happens="The service asks to be left alone for minutes.",
        start=own,
        cause=_long_throttled,
        seen=ann("Throttled"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso: |the service's limits",
        remedy="comes right by itself",
        also=(staff("SpokesNotReady"),),
        do="Nothing. If it comes back, give the Hub a longer `interval`.",
        mend=half_an_hour,
        recovers=ASKED_FOR,
        after=ANN,
    ),
    Situation(
        id="item-rejected",
        happens="The service refuses an item as it is. The others go on.",
        cause=_unwanted,
        seen=failing("bob", "ItemsRejected"),
        names="refuses 1 item \\(item [0-9a-f]{32}: 400 ErrorInvalidProperty\\)",
        remedy="correct it in the mailbox that it comes from",
        also=(BOB, STAFF),
        do="Have it corrected in the mailbox that it comes from.",
        mend=_corrected,
        recovers="When the item changes, at the Hub's next pass; without that, it is sent again "
        "every day.",
        after=BOB,
    ),
    Situation(
        id="item-unreadable",
        happens="An item in a mailbox can't be read. The others go on.",
        cause=_garbled,
        seen=failing("ann", "ItemsUnreadable"),
        names="1 item can't be read",
        remedy="fetched again with growing pauses",
        also=(ANN, STAFF),
        do="If it stays, have its user correct it, or report it.",
        mend=_legible,
        recovers="Fetched again after five minutes at first, then with growing pauses; when it "
        "changes, at the Hub's next pass.",
        after=ANN,
    ),
    Situation(
        id="mailbox-full",
        happens="A mailbox that receives is full.",
        start=own,
        cause=_full,
        seen=failing("bob", "ItemsUndelivered"),
        names="1 item could not be delivered \\(item [0-9a-f]{32}: 507 ErrorQuotaExceeded\\)",
        remedy="the mailbox is full: make room in it, or raise its quota",
        also=(BOB, STAFF),
        do="Make room in the mailbox, or raise its quota.",
        mend=room,
        recovers=SENT_AGAIN,
        after=BOB,
    ),
    Situation(
        id="managed-elsewhere",
        happens="The folder holds copies that another installation of the operator made.",
        cause=_managed_elsewhere,
        seen=ann("ManagedElsewhere"),
        goes_with=STALLED,
        names="spoke [^ ]+/ann: .*installation \\('another-installation'\\)",
        remedy="remove the spoke there or give this one another folder",
        also=(staff("SpokesNotReady"),),
        do="Delete the Spoke in the other installation, which takes its copies along; or delete "
        "this one.",
        mend=_taken_away,
        recovers=NEXT_PASS,
        after=ANN,
    ),
)
