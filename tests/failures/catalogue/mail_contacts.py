"""What goes wrong with mail contacts in a tenant's address list, and what makes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.failures.catalogue.mending import ASKED_FOR, PAUSES, answers, half_an_hour, own
from tests.failures.catalogue.outcome import ANN, BOB, STAFF, contoso, failing, staff
from tests.failures.situation import RECONCILING, Seen, Situation
from tests.failures.town import PEOPLE, Shown, Town, shown

LIST = Seen(kind="Spoke", name="list", status="True", reason="Synced")
EVERYWHERE = ("ann", "bob", "list")
ROLES = ("Contacts.ReadWrite", "User.Read.All")
ROLE = "Exchange.ManageAsApp"
ADMINISTRATOR = "Exchange Recipient Administrator"
SERVICE = "connection [^ ]+/contoso: Exchange's administration "
LATER = 71
"""Who comes while something is wrong."""
FOREIGN = "somebody-else-s"
DAY = 86_400


def _list(reason: str) -> Seen:
    return Seen(kind="Spoke", name="list", reason=reason)


def _listed(town: Town) -> Shown:
    """What the hub has made in the address list."""
    found = town.admin.cmdlet(town.tenant, "Get-Contact")
    ours = (one for one in found if one["Name"].startswith("cirahub-"))
    return shown(one | {"surname": one["LastName"]} for one in ours)


async def _well(town: Town) -> None:
    """The address list receives, besides Bob."""
    _permit(town, ROLE)
    _assign(town, ADMINISTRATOR)
    town.places["list"] = lambda: _listed(town)
    target = town.spoke("list", mailbox=None, globalAddressList={}, direction="Receive")
    await town.well(target)
    await town.comes(LIST)
    await town.until(lambda: len(_listed(town)) >= PEOPLE, lambda: "the list got nothing")
    town.remember()


def _permit(town: Town, *roles: str) -> None:
    town.admin.grant(town.client, town.tenant, [*ROLES, *roles])


def _assign(town: Town, *roles: str) -> None:
    town.admin.assign_directory_roles(town.client, town.tenant, roles)


def _somebody_comes(town: Town, *numbers: int) -> None:
    people = [town.person(number) for number in numbers or (LATER,)]
    town.admin.import_contacts(town.mailboxes["ann"], people)


async def _not_permitted(town: Town) -> None:
    await _well(town)
    _permit(town)
    _somebody_comes(town)


async def _permitted(town: Town) -> None:
    _permit(town, ROLE)


async def _not_assigned(town: Town) -> None:
    """A token tells what is assigned, if anything is."""
    await _well(town)
    _assign(town, "Global Reader")
    _somebody_comes(town)


async def _assigned(town: Town) -> None:
    _assign(town, ADMINISTRATOR)


def _fails(kind: str, **fields: object) -> Callable[[Town], Awaitable[None]]:
    async def act(town: Town) -> None:
        await _well(town)
        town.admin.add_rule(
            kind, id=town.tenant, service="exchange-admin", tenant=town.tenant, **fields
        )
        _somebody_comes(town)

    return act


async def _no_address(town: Town) -> None:
    """Of two who come, one has an e-mail address that is none."""
    await _well(town)
    broken = town.person(LATER) | {"emailAddresses": [{"address": "at home"}]}
    town.admin.import_contacts(town.mailboxes["ann"], [broken, town.person(LATER + 1)])
    await town.until(
        lambda: str(LATER + 1) in dict(_listed(town)), lambda: "the other one does not come"
    )


async def _corrected(town: Town) -> None:
    changes = {"emailAddresses": town.person(LATER)["emailAddresses"]}
    for contact in town.held("ann"):
        if contact["surname"] == str(LATER):
            town.admin.update_contact(town.mailboxes["ann"], contact["id"], changes)


async def _taken(town: Town) -> None:
    await _well(town)
    address = f"person{LATER}@{town.domain}"
    town.admin.cmdlet(
        town.tenant,
        "New-MailContact",
        Name=FOREIGN,
        Alias=FOREIGN,
        ExternalEmailAddress=address,
    )
    _somebody_comes(town)


async def _removed(town: Town) -> None:
    """Time passes, too: what was refused is sent again once a day."""
    town.admin.cmdlet(town.tenant, "Remove-MailContact", Identity=FOREIGN)
    town.clock.ahead += DAY


SITUATIONS = (
    Situation(
        id="mail-contacts-permission-missing",
        happens="The application may not run Exchange's cmdlets (any more): its consent was "
        "withdrawn. The mail contacts stay as they are.",
        cause=_not_permitted,
        seen=contoso("PermissionMissing"),
        goes_with=RECONCILING,
        names="the application has not got Exchange.ManageAsApp",
        remedy="grant it and consent: https://",
        also=(_list("AccessDenied"), staff("SpokesNotReady"), BOB),
        untouched=("list",),
        do="Grant the application Exchange.ManageAsApp in the tenant, and consent: "
        "[mail contacts](address-lists.md). Stalled once it is missing for ten minutes.",
        mend=_permitted,
        recovers="When the Connection is checked next.",
        after=LIST,
        equal=EVERYWHERE,
    ),
    Situation(
        id="mail-contacts-role-missing",
        happens="The application has not got the role in Entra ID that lets it change recipients "
        "(any more).",
        cause=_not_assigned,
        seen=contoso("PermissionMissing"),
        goes_with=RECONCILING,
        names="the application has not got Exchange Recipient Administrator",
        remedy="assign it the role Exchange Recipient Administrator of Entra ID",
        also=(_list("AccessDenied"), staff("SpokesNotReady"), BOB),
        untouched=("list",),
        do="Assign it: `cirahub permissions` prints how. Stalled once it is missing for ten "
        "minutes.",
        mend=_assigned,
        recovers="When the Connection is checked next.",
        after=LIST,
        equal=EVERYWHERE,
    ),
    Situation(
        id="mail-contacts-throttled",
        happens="The service that runs Exchange's cmdlets asks for a slower pace (429, or a cmdlet "
        "is over budget).",
        start=own,
        cause=_fails("status", status=429, retry_after=1800),
        seen=_list("Throttled"),
        goes_with=RECONCILING,
        names="let the next request through in [0-9]+ s",
        remedy="comes right by itself",
        also=(ANN, BOB, staff("SpokesNotReady")),
        untouched=("list",),
        do="Nothing. If it comes back, give the Hub a longer `interval`.",
        mend=half_an_hour,
        recovers=ASKED_FOR,
        after=LIST,
        equal=EVERYWHERE,
    ),
    Situation(
        id="mail-contacts-failing",
        happens="The service that runs Exchange's cmdlets answers with server errors.",
        cause=_fails("status", status=503),
        seen=_list("EndpointUnavailable"),
        goes_with=RECONCILING,
        names=f"{SERVICE}answered Get-MailContact with 503",
        remedy="will be tried again",
        also=(ANN, BOB, staff("SpokesNotReady")),
        untouched=("list",),
        do="Nothing.",
        mend=answers,
        recovers=PAUSES,
        after=LIST,
        equal=EVERYWHERE,
    ),
    Situation(
        id="mail-contacts-answer-cut-off",
        happens="An answer of that service is cut off. A contact whose making was not answered is "
        "looked for before it is made again.",
        cause=_fails("truncate"),
        seen=_list("EndpointUnavailable"),
        goes_with=RECONCILING,
        names=f"{SERVICE}at https://[^ ]+ gave no whole answer",
        remedy="will be tried again",
        also=(ANN, BOB, staff("SpokesNotReady")),
        do="Nothing; if it goes on, look for what stands between here and Exchange Online.",
        mend=answers,
        recovers=PAUSES,
        after=LIST,
        equal=EVERYWHERE,
    ),
    Situation(
        id="mail-contact-refused",
        happens="Exchange refuses a contact as it is. The others go on.",
        cause=_no_address,
        seen=failing("list", "ItemsRejected"),
        names="refuses 1 item \\(item [0-9a-f]{32}: New-MailContact: ",
        remedy="correct it in the mailbox that it comes from",
        also=(LIST, BOB, STAFF),
        do="Have it corrected in the mailbox that it comes from.",
        mend=_corrected,
        recovers="When the item changes, at the Hub's next pass; without that, it is sent again "
        "every day.",
        after=LIST,
        equal=EVERYWHERE,
    ),
    Situation(
        id="mail-contact-address-taken",
        happens="Another recipient of the tenant has a contact's e-mail address. That one stays "
        "untouched.",
        start=own,
        cause=_taken,
        seen=failing("list", "ItemsRejected"),
        names="its e-mail address is that of recipient [0-9a-f-]{36} of the tenant, which is not "
        "made by cirahub and stays untouched",
        remedy="remove that one, or keep the item out by a filter",
        also=(LIST, BOB, STAFF),
        untouched=("list",),
        do="Remove that recipient, or keep the item out by a filter.",
        mend=_removed,
        recovers="Sent again once a day, and when the item changes.",
        after=LIST,
        equal=EVERYWHERE,
    ),
)
