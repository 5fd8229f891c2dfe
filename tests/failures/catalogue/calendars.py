"""What goes wrong with calendars, of Microsoft 365 and of an Exchange Server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from tests.failures.catalogue.mending import (
    ASKED_FOR,
    NEXT_PASS,
    SENT_AGAIN,
    answers,
    half_an_hour,
    own,
    room,
)
from tests.failures.catalogue.outcome import ANN, BOB, BOTH, STAFF, ann, failing, staff
from tests.failures.server import Server
from tests.failures.situation import RECONCILING, STALLED, Situation
from tests.failures.town import NAME, PEOPLE, Records, Shown, Town
from tests.operator.stage import Manifest

ROTA = "Rota"
"""Ann's calendar, beside her own one."""
ROLES = ("Calendars.ReadWrite", "User.Read.All")
FULL_REMEDY = "the mailbox is full: make room in it, or raise its quota"
CALENDAR = "connection [^ ]+/contoso: (mailbox [0-9a-f-]{36}, calendar|folder) [^ ]+: "


def _event(number: int) -> dict[str, object]:
    """Tomorrow."""
    day = datetime.now(UTC).date() + timedelta(days=1)
    at = [{"dateTime": f"{day}T{hour:02}:00:00", "timeZone": "UTC"} for hour in (9, 10)]
    return {"subject": f"{NAME} {number}", "start": at[0], "end": at[1]}


def _uid(town: Town, number: int) -> str:
    return f"040000008200E00074C5B7101A82E008{town.tenant.replace('-', '')}{number:04}".upper()


def _events(town: Town, mailbox: str) -> Iterator[Mapping[str, object]]:
    for number in range(PEOPLE):
        yield {
            "kind": "event",
            "mailbox": mailbox,
            "event": _event(number),
            "calendar": ROTA,
            "uid": _uid(town, number),
        }


def _in_tenant(town: Town) -> Records:
    return _events(town, town.mailboxes["ann"])


def _on_server(town: Town) -> Records:
    server = Server(town)
    yield from server.records()
    yield from _events(town, server.users["ann"])


def _shown(town: Town, mailbox: str) -> Shown:
    found = (one["event"] for one in town.admin.events(mailbox))
    return sorted((str(event["subject"]), repr(event)) for event in found)


def _manifests(town: Town, address: Callable[[str], str]) -> tuple[Manifest, ...]:
    rota = {"address": address("ann"), "name": ROTA}
    return (
        town.hub(itemKind="Event"),
        town.ann(mailbox=None, calendar=rota),
        town.bob(mailbox=None, calendar={"address": address("bob")}),
    )


async def _well(town: Town) -> None:
    """Bob receives Ann's appointments, in Microsoft 365."""
    town.admin.grant(town.client, town.tenant, ROLES)
    town.places = {name: partial(_shown, town, town.mailboxes[name]) for name in BOTH}
    await town.well(*_manifests(town, town.address))


async def _well_on_server(town: Town) -> None:
    server = Server(town)
    await server.apply(*_manifests(town, server.address))
    town.places = {name: partial(_shown, town, server.users[name]) for name in BOTH}
    await town.in_sync()


def _fails(name: str, **fields: object) -> Callable[[Town], Awaitable[None]]:
    async def act(town: Town) -> None:
        await _well(town)
        path = f"/users/{town.mailboxes[name]}/"
        town.admin.add_rule("status", id=town.tenant, service="graph", path=path, **fields)

    return act


async def _full(town: Town) -> None:
    fill = _fails("bob", method="POST", batched=True, status=507, code="ErrorQuotaExceeded")
    await fill(town)
    town.admin.add_event(town.mailboxes["ann"], _event(PEOPLE), calendar=ROTA)


async def _full_on_server(town: Town) -> None:
    await _well_on_server(town)
    server = Server(town)
    server.fault("status", "bob", operation="CreateItem", status=200, code="ErrorQuotaExceeded")
    town.admin.add_event(server.users["ann"], _event(PEOPLE), calendar=ROTA)


async def _denied_on_server(town: Town) -> None:
    await _well_on_server(town)
    Server(town).fault("status", "ann", status=200, code="ErrorAccessDenied")


async def _deleted(town: Town) -> None:
    await _well(town)
    calendars = f"/graph/v1.0/users/{town.mailboxes['ann']}/calendars"
    found = town.admin.call("GET", calendars)["value"]
    rota = next(one["id"] for one in found if one["name"] == ROTA)
    town.admin.call("DELETE", f"{calendars}/{rota}")


async def _made_anew(town: Town) -> None:
    """With the same appointments: those that Outlook restores."""
    town.admin.seed(list(_in_tenant(town)))


SITUATIONS = (
    Situation(
        id="calendar-denied",
        happens="The application may not read a mailbox's calendars (any more).",
        besides=_in_tenant,
        cause=_fails("ann", status=403),
        seen=ann("AccessDenied"),
        goes_with=STALLED,
        names=f"{CALENDAR}Graph answered 403",
        remedy="grant the application the role Calendars[.]|Exchange RBAC for Applications",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Grant it, or bring the mailbox into the scope of Exchange's role-based access control.",
        mend=answers,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="calendar-deleted",
        happens="The calendar of a Spoke that contributes is deleted. What came from it stays in "
        "the others.",
        besides=_in_tenant,
        cause=_deleted,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names=f"{CALENDAR}Graph answered 404 ErrorItemNotFound",
        remedy="restore it, or delete the spoke",
        also=(staff("SpokesNotReady"), BOB),
        untouched=("bob",),
        do="Have the user restore it, or make one of that name; or delete the Spoke, if it was "
        "meant.",
        mend=_made_anew,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="calendar-throttled-for-long",
        happens="Microsoft Graph asks to leave a calendar alone for minutes.",
        besides=_in_tenant,
        start=own,
        cause=_fails("ann", status=429, retry_after=1800),
        seen=ann("Throttled"),
        goes_with=RECONCILING,
        names=f"{CALENDAR}|the service's limits",
        remedy="comes right by itself",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Nothing. If it comes back, give the Hub a longer `interval`.",
        mend=half_an_hour,
        recovers=ASKED_FOR,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="calendar-full",
        happens="A mailbox whose calendar receives is full.",
        besides=_in_tenant,
        start=own,
        cause=_full,
        seen=failing("bob", "ItemsUndelivered"),
        names="1 item could not be delivered \\(item [0-9a-f]{32}: 507 ErrorQuotaExceeded\\)",
        remedy=FULL_REMEDY,
        also=(BOB, STAFF),
        untouched=("bob",),
        do="Make room in the mailbox, or raise its quota.",
        mend=room,
        recovers=SENT_AGAIN,
        after=BOB,
        equal=BOTH,
    ),
    Situation(
        id="exchange-calendar-denied",
        happens="The account may not read a calendar on an Exchange Server.",
        besides=_on_server,
        cause=_denied_on_server,
        seen=ann("AccessDenied"),
        goes_with=STALLED,
        names=f"{CALENDAR}Exchange answered ErrorAccessDenied",
        remedy="check the folder's permissions and holds",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="See what the mailbox's owner may do there, in whose place the account acts.",
        mend=answers,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="exchange-calendar-full",
        happens="A mailbox on an Exchange Server whose calendar receives is full.",
        besides=_on_server,
        start=own,
        cause=_full_on_server,
        seen=failing("bob", "ItemsUndelivered"),
        names="1 item could not be delivered \\(item [0-9a-f]{32}: ErrorQuotaExceeded\\)",
        remedy=FULL_REMEDY,
        also=(BOB, STAFF),
        untouched=("bob",),
        do="Make room in the mailbox, or raise its quota.",
        mend=room,
        recovers=SENT_AGAIN,
        after=BOB,
        equal=BOTH,
    ),
)
