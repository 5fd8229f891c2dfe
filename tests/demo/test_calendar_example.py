"""`examples/calendars`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from cirahub_simulator.seed.generate import CIRAHUB
from demo.narration import Narration
from demo.stage import Stage

ROOT = Path(__file__).resolve().parent.parent.parent
NAMESPACE = "cirahub-demo"
WITHIN = 180.0
ANNA = "anna.bergstrom@contoso.example"
ALICE = "alice.edwards@fabrikam.example"
BJORN = "bjorn.eriksson@contoso.example"
CHLOE = "chloe.delacroix@fabrikam.example"
BOB = "bob.nakamura@fabrikam.example"
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


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(Narration()) as stage:
        yield stage


class Graph:
    """What users do, through the tenant's own application."""

    def __init__(self, stage: Stage) -> None:
        self._endpoints = stage.simulator.endpoints
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


DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7)
"""A week from now."""


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


def until(what: Callable[[], object], told: Callable[[], object]) -> None:
    end = time.monotonic() + WITHIN
    while not what():
        assert time.monotonic() < end, told()
        time.sleep(0.5)


def condition(stage: Stage, kind: str, name: str, wanted: str = "Ready") -> str:
    path = f'{{.status.conditions[?(@.type=="{wanted}")].reason}}'
    return stage.plane.kubectl("-n", NAMESPACE, "get", kind, name, f"--output=jsonpath={path}")


def everything(stage: Stage) -> str:
    objects = stage.plane.kubectl("-n", NAMESPACE, "get", "hubs,spokes,connections", "-o", "wide")
    return f"{objects}\n{stage.log_tail()}"


def test_two_tenants_have_each_others_appointments_and_nobody_is_written_to(stage: Stage) -> None:
    """Invariant 10, end to end."""
    admin = stage.simulator.admin
    apply = ("apply", "--server-side", "--kustomize", str(ROOT / "examples/calendars"))
    stage.plane.kubectl(*apply)
    until(
        lambda: condition(stage, "connection", "contoso") == "PermissionMissing",
        lambda: everything(stage),
    )
    for tenant in ("contoso.example", "fabrikam.example"):
        admin.grant(CIRAHUB, tenant, ["Calendars.ReadWrite", "User.Read.All"])
    graph = Graph(stage)
    seeded = {who: len(graph.shown(who, "")) for who in (ANNA, ALICE)}
    series = graph.adds(ANNA, subject="Stand-up", location={"displayName": "Room 1"}, **weekly())
    moved = graph.occurrence(ANNA, series["id"], DAY + timedelta(days=7))
    graph("PATCH", ANNA, f"events/{moved}", moments(13, 7))
    cancelled = graph.occurrence(ANNA, series["id"], DAY + timedelta(days=14))
    graph("DELETE", ANNA, f"events/{cancelled}")
    graph.adds(ANNA, subject="Doctor", sensitivity="private", **moments(15, 1))
    meeting = graph.adds(ALICE, subject="Negotiation", attendees=GUESTS, **moments(11, 2))
    plain = graph.adds(ALICE, subject="Lunch", body={"content": "At noon"}, **moments(12, 3))
    invitations = admin.messages()
    assert {message["kind"] for message in invitations} == {"invitation"} <= NEVER
    for name in ("contoso", "fabrikam"):
        stage.plane.kubectl(
            "-n", NAMESPACE, "annotate", "connection", name, "reconcile.cirahub.io/requestedAt=1"
        )

    def expected() -> list[tuple[object, ...]]:
        both = [*graph.shown(ANNA, ""), *graph.shown(ALICE, "")]
        return sorted((*one[:2], *("", "", "")) if one[2] == "Doctor" else one for one in both)

    def equal() -> bool:
        wanted = expected()
        busy = sorted((*one[:2], "Busy", "", "") for one in wanted)
        return (
            graph.shown(BJORN, "Partners") == wanted == graph.shown(CHLOE, "Partners")
            and graph.shown(BOB, "Busy") == busy
        )

    until(equal, lambda: everything(stage))
    wait = ("wait", "--for=condition=Ready", "hubs,spokes,connections", "--all", "--timeout=60s")
    stage.plane.kubectl("-n", NAMESPACE, *wait)
    assert len(expected()) == sum(seeded.values()) + 5 + 1 + 2

    # One changes, one edits a copy in the other tenant, one deletes.
    graph("PATCH", ALICE, f"events/{meeting['id']}", {"subject": "Contract"})
    (copied,) = [
        event
        for event in graph("GET", CHLOE, f"calendars/{_calendar(graph)}/events?$top=50")["value"]
        if event["subject"] == "Lunch"
    ]
    graph("PATCH", CHLOE, f"calendars/{_calendar(graph)}/events/{copied['id']}", moments(13, 3))
    updates = admin.messages()
    assert len(updates) == len(invitations) + 1, "Alice's own change of her meeting"

    def edited() -> bool:
        partners = graph.shown(BJORN, "Partners")
        there = {(str(one[0])[11:16], one[2]) for one in partners}
        return {("13:00", "Lunch"), ("11:00", "Contract")} <= there

    until(edited, lambda: everything(stage))
    assert graph("GET", ALICE, f"events/{plain['id']}")["start"]["dateTime"][11:16] == "12:00"
    stage.plane.kubectl(
        "-n", NAMESPACE, "annotate", "hub", "appointments", "cirahub.io/erase=now", "--overwrite"
    )
    stage.plane.kubectl("-n", NAMESPACE, "delete", "hub", "appointments", "--timeout=120s")
    until(
        lambda: not any(graph.shown(who, name) for who, name in COPIES),
        lambda: everything(stage),
    )

    assert admin.messages() == updates
    assert len(graph.shown(ANNA, "")) == seeded[ANNA] + 6
    assert len(graph.shown(ALICE, "")) == seeded[ALICE] + 2


COPIES = ((BJORN, "Partners"), (CHLOE, "Partners"), (BOB, "Busy"))


def _calendar(graph: Graph) -> str:
    found = graph("GET", CHLOE, "calendars")["value"]
    return str(next(one["id"] for one in found if one["name"] == "Partners"))
