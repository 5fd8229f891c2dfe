"""`examples/calendars-exchange`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from tests.demo.test_calendar_example import (
    ANNA,
    BJORN,
    DAY,
    GUESTS,
    NAMESPACE,
    NEVER,
    ROOT,
    Graph,
    everything,
    moments,
    until,
    weekly,
)
from tests.simulator.ews.conftest import (
    HOST,
    NS,
    OLGA,
    PATH,
    PAUL,
    SERVICE,
    Soap,
    impersonate,
    shape_of,
)

from cirahub_simulator.seed.generate import CIRAHUB
from demo.narration import Narration
from demo.stage import Stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(Narration()) as stage:
        yield stage


class Exchange:
    """What a calendar on the server shows, by way of the service account."""

    def __init__(self, stage: Stage) -> None:
        endpoints = stage.simulator.endpoints
        sign_in = (SERVICE, "simulated-svc-cirahub-password")
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


def short(events: list[tuple[object, ...]]) -> list[tuple[str, ...]]:
    """What both services say alike: moments to the second, and texts."""
    return sorted(tuple(str(part)[:19] for part in event[:4]) for event in events)


def test_a_tenant_and_a_server_have_each_others_appointments(stage: Stage) -> None:
    """Invariant 10, end to end, over both services."""
    admin = stage.simulator.admin
    apply = ("apply", "--server-side", "--kustomize", str(ROOT / "examples/calendars-exchange"))
    stage.plane.kubectl(*apply)
    admin.grant(CIRAHUB, "contoso.example", ["Calendars.ReadWrite", "User.Read.All"])
    graph, exchange = Graph(stage), Exchange(stage)
    series = graph.adds(ANNA, subject="Stand-up", location={"displayName": "Room 1"}, **weekly())
    graph("PATCH", ANNA, f"events/{graph.occurrence(ANNA, series['id'], day(7))}", moments(13, 7))
    graph("DELETE", ANNA, f"events/{graph.occurrence(ANNA, series['id'], day(14))}")
    admin.create_event(OLGA, {"subject": "Lunch", **moments(12, 3)})
    admin.create_event(OLGA, {"subject": "Negotiation", "attendees": GUESTS, **moments(11, 2)})
    admin.create_event(OLGA, {"subject": "Rounds", **moments(8), **weekly()})
    invitations = admin.messages()
    assert {message["kind"] for message in invitations} == {"invitation"} <= NEVER
    for name in ("contoso", "adatum"):
        stage.plane.kubectl(
            "-n", NAMESPACE, "annotate", "connection", name, "reconcile.cirahub.io/requestedAt=1"
        )

    def equal() -> bool:
        wanted = sorted([*short(graph.shown(ANNA, "")), *exchange.shown(OLGA, "")])
        return short(graph.shown(BJORN, "Partners")) == wanted == exchange.shown(PAUL, "Partners")

    until(equal, lambda: everything(stage))
    wait = ("wait", "--for=condition=Ready", "hubs,spokes,connections", "--all", "--timeout=60s")
    stage.plane.kubectl("-n", NAMESPACE, *wait)
    assert len(exchange.shown(OLGA, "")) == 1 + 1 + 6

    # One edits a copy on the server; it is so in the cloud, and where it comes from it is not.
    exchange.renames(PAUL, "Stand-up", "Stand-up, all")

    def edited() -> bool:
        there = {event[2] for event in graph.shown(BJORN, "Partners")}
        return "Stand-up, all" in there and "Stand-up" not in there

    until(edited, lambda: everything(stage))
    assert "Stand-up" in {event[2] for event in graph.shown(ANNA, "")}
    assert admin.messages() == invitations


def day(number: int) -> datetime:
    return DAY + timedelta(days=number)
