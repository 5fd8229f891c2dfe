"""What goes wrong with a tenant's address list that contributes to a hub."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from functools import partial

from tests.failures.catalogue.mending import ASKED_FOR, own
from tests.failures.catalogue.outcome import BOB, contoso, staff
from tests.failures.situation import RECONCILING, Act, Seen, Situation
from tests.failures.town import NAME, PEOPLE, Records, Town

LIST = Seen(kind="Spoke", name="list", status="True", reason="Synced")
LISTED = ("bob",)
"""Where the list's people are seen."""
ROLES = ("Contacts.ReadWrite", "User.Read.All")
ROLE = "OrgContact.Read.All"
DELTA = "^/contacts/delta"
TRIED_AGAIN = "Tried again with growing pauses, of five minutes at most."


def _list(reason: str) -> Seen:
    return Seen(kind="Spoke", name="list", reason=reason)


def _mail_contacts(town: Town, numbers: range = range(PEOPLE)) -> Iterator[Mapping[str, object]]:
    for number in numbers:
        person = town.person(number)
        yield {
            "kind": "orgcontact",
            "id": str(uuid.uuid5(uuid.UUID(town.tenant), str(number))),
            "tenant": town.tenant,
            "displayName": person["displayName"],
            "givenName": NAME,
            "surname": str(number),
            "mail": f"person{number}@{town.domain}",
            "mailNickname": f"person{number}",
        }


def _in_tenant(town: Town) -> Records:
    return _mail_contacts(town)


async def _well(town: Town) -> None:
    """Bob receives the mail contacts of the tenant's address list."""
    town.admin.grant(town.client, town.tenant, [*ROLES, ROLE])
    source = town.spoke("list", mailbox=None, globalAddressList={"include": ["Contacts"]})
    await town.stage.apply(town.federated(), town.hub(), source, town.bob())
    await town.in_sync()


def _somebody_comes(town: Town) -> None:
    town.admin.seed(list(_mail_contacts(town, range(PEOPLE, PEOPLE + 1))))


def _fails(kind: str, **fields: object) -> Act:
    async def act(town: Town) -> None:
        await _well(town)
        town.admin.add_rule(
            kind, id=town.tenant, service="graph", tenant=town.tenant, path=DELTA, **fields
        )
        _somebody_comes(town)

    return act


async def _answers(town: Town) -> None:
    town.admin.remove_rule(town.tenant)
    await _somebody_came(town)


async def _somebody_came(town: Town) -> None:
    held = partial(len, town.held("bob"))
    await town.until(lambda: len(town.held("bob")) > PEOPLE, lambda: f"bob has {held()}")


async def _half_an_hour(town: Town) -> None:
    town.clock.ahead += 1800
    await _answers(town)


async def _not_permitted(town: Town) -> None:
    await _well(town)
    town.admin.grant(town.client, town.tenant, ROLES)
    _somebody_comes(town)


async def _permitted(town: Town) -> None:
    town.admin.grant(town.client, town.tenant, [*ROLES, ROLE])
    await _somebody_came(town)


SERVICE = "connection [^ ]+/contoso: "

SITUATIONS = (
    Situation(
        id="address-list-permission-missing",
        happens="The application may not read a tenant's address list (any more). Who came from it "
        "stays.",
        besides=_in_tenant,
        cause=_not_permitted,
        seen=contoso("PermissionMissing"),
        goes_with=RECONCILING,
        names=f"the application has not got {ROLE}",
        remedy="grant it and consent: https://",
        also=(_list("AccessDenied"), staff("SpokesNotReady"), BOB),
        untouched=LISTED,
        do=f"Grant the application {ROLE} (User.Read.All for users) in the tenant, and consent. "
        "Stalled once it is missing for ten minutes.",
        mend=_permitted,
        recovers="When the Connection is checked next.",
        after=LIST,
    ),
    Situation(
        id="address-list-throttled-for-long",
        happens="Microsoft Graph asks to leave the directory alone for minutes.",
        besides=_in_tenant,
        start=own,
        cause=_fails("status", status=429, retry_after=1800),
        seen=_list("Throttled"),
        goes_with=RECONCILING,
        names=f"{SERVICE}|the service's limits",
        remedy="comes right by itself",
        also=(staff("SpokesNotReady"), BOB),
        untouched=LISTED,
        do="Nothing. If it comes back, give the Hub a longer `interval`.",
        mend=_half_an_hour,
        recovers=ASKED_FOR,
        after=LIST,
    ),
    Situation(
        id="address-list-failing",
        happens="Microsoft Graph answers for the directory with server errors.",
        besides=_in_tenant,
        cause=_fails("status", status=503),
        seen=_list("EndpointUnavailable"),
        goes_with=RECONCILING,
        names=f"{SERVICE}.*Graph answered 503",
        remedy="will be tried again",
        also=(staff("SpokesNotReady"), BOB),
        untouched=LISTED,
        do="Nothing.",
        mend=_answers,
        recovers=TRIED_AGAIN,
        after=LIST,
    ),
    Situation(
        id="address-list-answer-cut-off",
        happens="An answer of the directory is cut off. Nobody is taken for gone because of that.",
        besides=_in_tenant,
        cause=_fails("truncate"),
        seen=_list("EndpointUnavailable"),
        goes_with=RECONCILING,
        names=f"{SERVICE}",
        remedy="will be tried again",
        also=(staff("SpokesNotReady"), BOB),
        untouched=LISTED,
        do="Nothing; if it goes on, look for what stands between here and Graph.",
        mend=_answers,
        recovers=TRIED_AGAIN,
        after=LIST,
    ),
)
