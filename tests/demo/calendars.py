"""What calendars show, asked as their users would: of Graph, and of Exchange Web Services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from tests.simulator.ews.conftest import HOST, NS, PATH, SERVICE, Soap, impersonate, shape_of

from cirahub_simulator.process import SimulatorProcess
from cirahub_simulator.seed.generate import CIRAHUB, SERVICE_PASSWORD

GUESTS = [{"emailAddress": {"address": "guest@elsewhere.example", "name": "Guest"}}]
NEVER = {
    "invitation",
    "update",
    "cancellation",
    "accepted",
    "tentativelyAccepted",
    "declined",
    "forward",
}
"""Kinds of messages about meetings: all of them."""
DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7)
"""A week from now."""


def day(number: int) -> datetime:
    return DAY + timedelta(days=number)


def moments(hour: int, days: int = 0) -> dict[str, object]:
    when = DAY + timedelta(days=days, hours=hour)
    return {
        "start": {"dateTime": f"{when:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
        "end": {"dateTime": f"{when + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
    }


def weekly() -> dict[str, object]:
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [f"{DAY:%A}".lower()]}
    extent = {"type": "numbered", "startDate": f"{DAY:%Y-%m-%d}", "numberOfOccurrences": 6}
    return {"recurrence": {"pattern": pattern, "range": extent}}


def short(events: list[tuple[object, ...]]) -> list[tuple[str, ...]]:
    """What both services say alike: moments to the second, and texts."""
    return sorted(tuple(str(part)[:19] for part in event[:4]) for event in events)


class Graph:
    """What users do, through the tenant's own application."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        self._endpoints = simulator.endpoints
        self._session = requests.Session()
        self._session.verify = self._endpoints.ca_file
        self._tokens: dict[str, str] = {}

    def __call__(self, method: str, mailbox: str, path: str, body: Any = None) -> Any:
        url = f"{self._endpoints.graph}/v1.0/users/{mailbox}/{path}"
        tenant = mailbox.partition("@")[2]
        answer = self._session.request(
            method, url, json=body, headers={"Authorization": f"Bearer {self._token(tenant)}"}
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def adds(self, mailbox: str, **event: object) -> dict[str, Any]:
        made: dict[str, Any] = self("POST", mailbox, "events", moments(9) | event)
        return made

    def occurrence(self, mailbox: str, series: str, day: datetime) -> str:
        span = f"startDateTime={day:%Y-%m-%d}T00:00:00Z&endDateTime={day:%Y-%m-%d}T23:00:00Z"
        (found,) = self("GET", mailbox, f"events/{series}/instances?{span}")["value"]
        return str(found["id"])

    def shown(self, mailbox: str, calendar: str) -> list[tuple[object, ...]]:
        """All that a calendar shows of two months."""
        path = "calendar"
        if calendar:
            named = [c for c in self("GET", mailbox, "calendars")["value"] if c["name"] == calendar]
            if not named:
                return []
            path = f"calendars/{named[0]['id']}"
        last = DAY + timedelta(days=60)
        span = f"startDateTime={DAY:%Y-%m-%d}T00:00:00Z&endDateTime={last:%Y-%m-%d}T00:00:00Z"
        events = self("GET", mailbox, f"{path}/calendarView?{span}&$top=500")["value"]
        assert not calendar or not any(event["attendees"] for event in events)
        return sorted(
            (
                event["start"]["dateTime"],
                event["end"]["dateTime"],
                event["subject"] or "",
                event["location"].get("displayName", ""),
                event["bodyPreview"],
            )
            for event in events
        )

    def _token(self, tenant: str) -> str:
        if tenant not in self._tokens:
            answer = self._session.post(
                f"{self._endpoints.entra}/{tenant}/oauth2/v2.0/token",
                data={
                    "grant_type": "client_credentials",
                    "client_id": CIRAHUB,
                    "client_secret": f"simulated-{tenant.partition('.')[0]}-secret",
                    "scope": "https://graph.microsoft.com/.default",
                },
            )
            assert answer.ok, answer.text
            self._tokens[tenant] = str(answer.json()["access_token"])
        return self._tokens[tenant]


class Exchange:
    """What a calendar on the server shows, by way of the service account."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        endpoints = simulator.endpoints
        sign_in = (SERVICE, SERVICE_PASSWORD)
        self._soap = Soap(endpoints.exchange(HOST) + PATH, endpoints.ca_file, sign_in)

    def shown(self, mailbox: str, calendar: str) -> list[tuple[str, ...]]:
        """Start, end, subject and place of all of two months."""
        self._soap.header = impersonate(mailbox)
        folder = '<t:DistinguishedFolderId Id="calendar"/>'
        if calendar:
            below = self._soap.done(
                '<m:FindFolder Traversal="Shallow"><m:FolderShape><t:BaseShape>Default'
                f"</t:BaseShape></m:FolderShape><m:ParentFolderIds>{folder}</m:ParentFolderIds>"
                "</m:FindFolder>"
            )
            named = below.all(f"//t:CalendarFolder[t:DisplayName='{calendar}']/t:FolderId")
            if not named:
                return []
            folder = f'<t:FolderId Id="{named[0].get("Id")}"/>'
        last = DAY + timedelta(days=60)
        wanted = ("calendar:Start", "calendar:End", "item:Subject", "calendar:Location")
        found = self._soap.done(
            f'<m:FindItem Traversal="Shallow">{shape_of("IdOnly", *wanted)}<m:CalendarView '
            f'StartDate="{DAY:%Y-%m-%d}T00:00:00Z" EndDate="{last:%Y-%m-%d}T00:00:00Z"/>'
            f"<m:ParentFolderIds>{folder}</m:ParentFolderIds></m:FindItem>"
        )
        names = ("Start", "End", "Subject", "Location")
        return sorted(
            tuple((item.findtext(f"t:{name}", "", NS) or "")[:19] for name in names)
            for item in found.all("//t:CalendarItem")
        )

    def renames(self, mailbox: str, subject: str, other: str) -> None:
        """As the mailbox's user would, in the calendar below the default one."""
        self._soap.header = impersonate(mailbox)
        (item,) = [one for one in self._everything(mailbox) if one[0] == subject]
        self._soap.done(
            '<m:UpdateItem ConflictResolution="AutoResolve" '
            'SendMeetingInvitationsOrCancellations="SendToNone"><m:ItemChanges><t:ItemChange>'
            f'<t:ItemId Id="{item[1]}" ChangeKey="{item[2]}"/><t:Updates><t:SetItemField>'
            f'<t:FieldURI FieldURI="item:Subject"/><t:CalendarItem><t:Subject>{other}</t:Subject>'
            "</t:CalendarItem></t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges>"
            "</m:UpdateItem>"
        )

    def _everything(self, mailbox: str) -> list[tuple[str, str, str]]:
        below = self._soap.done(
            '<m:FindFolder Traversal="Shallow"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape>'
            '</m:FolderShape><m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/>'
            "</m:ParentFolderIds></m:FindFolder>"
        )
        found = []
        for folder in below.all("//t:FolderId"):
            items = self._soap.done(
                f'<m:FindItem Traversal="Shallow">{shape_of("IdOnly", "item:Subject")}'
                f'<m:ParentFolderIds><t:FolderId Id="{folder.get("Id")}"/></m:ParentFolderIds>'
                "</m:FindItem>"
            )
            for item in items.all("//t:CalendarItem"):
                id_ = item.find("t:ItemId", NS)
                subject = item.findtext("t:Subject", "", NS) or ""
                found.append((subject, str(id_.get("Id")), str(id_.get("ChangeKey"))))
        return found
