"""What goes wrong with mailboxes and public folders on an Exchange Server."""

from __future__ import annotations

from tests.failures.catalogue.exchange import FOLDER, on_server
from tests.failures.catalogue.mending import NEXT_PASS, SENT_AGAIN, answers, own, room
from tests.failures.catalogue.outcome import ANN, BOB, BOTH, STAFF, ann, failing, staff
from tests.failures.server import ACCOUNT, Server
from tests.failures.situation import STALLED, Situation
from tests.failures.town import PEOPLE, Town


async def _no_mailbox(town: Town) -> None:
    server = Server(town)
    town.admin.call("DELETE", f"/users/{server.users['ann']}")
    await server.apply()


async def _made(town: Town) -> None:
    server = Server(town)
    town.admin.seed([server.account("ann"), *server.contacts("ann")])


async def _disabled(town: Town) -> None:
    server = Server(town)
    await server.well()
    town.admin.call("PATCH", f"/users/{server.users['ann']}", {"enabled": False})


async def _enabled(town: Town) -> None:
    town.admin.call("PATCH", f"/users/{Server(town).users['ann']}", {"enabled": True})


def _impersonating(town: Town, *, may: bool) -> None:
    account = Server(town).users[ACCOUNT]
    town.admin.call("PATCH", f"/accounts/{account}", {"impersonates": may})


async def _role_withdrawn(town: Town) -> None:
    await Server(town).well()
    _impersonating(town, may=False)


async def _role_assigned(town: Town) -> None:
    _impersonating(town, may=True)


def _full_access(town: Town, *names: str) -> None:
    server = Server(town)
    for name in names:
        town.admin.set_full_access(server.users[name], [server.address(ACCOUNT)])


async def _access_withdrawn(town: Town) -> None:
    server = Server(town)
    _full_access(town, *BOTH)
    await server.well(server.connection(mailboxAccess="Delegate"))
    town.admin.set_full_access(server.users["ann"], [])


async def _access_given(town: Town) -> None:
    _full_access(town, "ann")


async def _public_denied(town: Town) -> None:
    server = Server(town)
    await server.well(server.public())
    server.fault("status", ACCOUNT, status=200, code="ErrorAccessDenied")


async def _public_missing(town: Town) -> None:
    server = Server(town)
    await server.apply(server.public("Customers/Gold"))


async def _public_made(town: Town) -> None:
    customer = {"server": Server(town).id, "folder": ["Customers", "Gold"]}
    town.admin.seed([{"kind": "publiccontact", **customer, "contact": town.person(0)}])


TEAM = "Team"


async def _folder_deleted(town: Town) -> None:
    server = Server(town)
    await _team(town)
    await server.well(server.ann(mailbox={"address": server.address("ann"), "folder": TEAM}))
    server.delete_folder("ann", TEAM)


async def _team(town: Town) -> None:
    people = [town.person(number) for number in range(PEOPLE)]
    town.admin.import_contacts(Server(town).users["ann"], people, [TEAM])


async def _full(town: Town) -> None:
    server = Server(town)
    await server.well()
    server.fault("status", "bob", operation="CreateItem", status=200, code="ErrorQuotaExceeded")
    town.admin.import_contacts(server.users["ann"], [town.person(71)])


SITUATIONS = (
    Situation(
        id="exchange-mailbox-missing",
        happens="The server has no mailbox of the address that the Spoke names.",
        besides=on_server,
        cause=_no_mailbox,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: folder contacts: Exchange answered",
        remedy="create or enable it, or delete the spoke and create one for another mailbox",
        also=(staff("SpokesNotReady"),),
        do="Create or restore the mailbox, or delete the Spoke and create one for another mailbox.",
        mend=_made,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="exchange-mailbox-disabled",
        happens="A mailbox that was in sync is disabled. What came from it stays in the others.",
        besides=on_server,
        cause=_disabled,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: folder [^ ]+: Exchange answered",
        remedy="create or enable it",
        also=(staff("SpokesNotReady"),),
        untouched=("bob",),
        do="Enable it; or delete the Spoke, if it was meant.",
        mend=_enabled,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="exchange-folder-deleted",
        happens="The folder of a Spoke that contributes is deleted for good, or emptied out of "
        "Deleted Items. What came from it stays in the other mailboxes.",
        besides=on_server,
        cause=_folder_deleted,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: (folder [^ ]+: Exchange answered|there is no folder)",
        remedy="restore it|make it there",
        also=(staff("SpokesNotReady"),),
        untouched=("bob",),
        do="Have the user restore it; or delete the Spoke, if it was meant.",
        mend=_team,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="exchange-impersonation-denied",
        happens="The account may not impersonate the mailbox (any more).",
        besides=on_server,
        cause=_role_withdrawn,
        seen=ann("AccessDenied"),
        goes_with=STALLED,
        names=FOLDER,
        remedy="ApplicationImpersonation with a scope that has the mailbox in it",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Give the account the role, with a scope that has the mailbox in it: `cirahub "
        "permissions` prints how.",
        mend=_role_assigned,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="exchange-full-access-missing",
        happens="With `mailboxAccess: Delegate`, the account has no Full Access to the mailbox "
        "(any more).",
        besides=on_server,
        cause=_access_withdrawn,
        seen=ann("AccessDenied"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: folder contacts: Exchange answered",
        remedy="give the account Full Access to this mailbox",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Give it: `cirahub permissions` prints how.",
        mend=_access_given,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="public-folder-denied",
        happens="The account may not read a public folder, or not write there.",
        besides=on_server,
        cause=_public_denied,
        seen=ann("AccessDenied"),
        goes_with=STALLED,
        names=FOLDER,
        remedy="give the account a role on this public folder",
        also=(staff("SpokesNotReady"),),
        untouched=("bob",),
        do="Give the account a role on the folder: `cirahub permissions` prints how.",
        mend=answers,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="public-folder-missing",
        happens="There is no public folder of that path, or the account can't see it.",
        besides=on_server,
        cause=_public_missing,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: there is no folder at level 2",
        remedy="make it there, or delete the spoke and create one for another folder",
        also=(staff("SpokesNotReady"),),
        do="Make it, or give the account the right to see it and each folder above.",
        mend=_public_made,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="exchange-mailbox-full",
        happens="A mailbox that receives is full (`ErrorQuotaExceeded`).",
        besides=on_server,
        start=own,
        cause=_full,
        seen=failing("bob", "ItemsUndelivered"),
        names="1 item could not be delivered \\(item [0-9a-f]{32}: ErrorQuotaExceeded\\)",
        remedy="the mailbox is full: make room in it, or raise its quota",
        also=(BOB, STAFF),
        untouched=("bob",),
        do="Make room in the mailbox, or raise its quota.",
        mend=room,
        recovers=SENT_AGAIN,
        after=BOB,
        equal=BOTH,
    ),
)
