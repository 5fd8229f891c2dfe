"""`examples/calendars`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

from tests.demo.calendars import GUESTS, NEVER, Graph, day, moments, weekly
from tests.demo.played import Played

from cirahub_simulator.seed.generate import CIRAHUB
from demo.stage import Stage

ANNA = "anna.bergstrom@contoso.example"
ALICE = "alice.edwards@fabrikam.example"
BJORN = "bjorn.eriksson@contoso.example"
CHLOE = "chloe.delacroix@fabrikam.example"
BOB = "bob.nakamura@fabrikam.example"
COPIES = ((BJORN, "Partners"), (CHLOE, "Partners"), (BOB, "Busy"))


def test_two_tenants_have_each_others_appointments_and_nobody_is_written_to(stage: Stage) -> None:
    """Invariant 10, end to end."""
    example = Played(stage, "calendars")
    admin = example.admin
    example.apply()
    example.until(lambda: example.reason("connection", "contoso") == "PermissionMissing")
    for tenant in ("contoso.example", "fabrikam.example"):
        admin.grant(CIRAHUB, tenant, ["Calendars.ReadWrite", "User.Read.All"])
    graph = Graph(example.simulator)
    seeded = {who: len(graph.shown(who, "")) for who in (ANNA, ALICE)}
    series = graph.adds(ANNA, subject="Stand-up", location={"displayName": "Room 1"}, **weekly())
    moved = graph.occurrence(ANNA, series["id"], day(7))
    graph("PATCH", ANNA, f"events/{moved}", moments(13, 7))
    cancelled = graph.occurrence(ANNA, series["id"], day(14))
    graph("DELETE", ANNA, f"events/{cancelled}")
    graph.adds(ANNA, subject="Doctor", sensitivity="private", **moments(15, 1))
    meeting = graph.adds(ALICE, subject="Negotiation", attendees=GUESTS, **moments(11, 2))
    plain = graph.adds(ALICE, subject="Lunch", body={"content": "At noon"}, **moments(12, 3))
    invitations = admin.messages()
    assert {message["kind"] for message in invitations} == {"invitation"} <= NEVER
    for name in ("contoso", "fabrikam"):
        example.look("connection", name)

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

    example.until(equal)
    example.wait_ready()
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

    example.until(edited)
    assert graph("GET", ALICE, f"events/{plain['id']}")["start"]["dateTime"][11:16] == "12:00"
    example.erase("hub", "appointments")
    example.until(lambda: not any(graph.shown(who, name) for who, name in COPIES))
    assert admin.messages() == updates
    assert len(graph.shown(ANNA, "")) == seeded[ANNA] + 6
    assert len(graph.shown(ALICE, "")) == seeded[ALICE] + 2


def _calendar(graph: Graph) -> str:
    found = graph("GET", CHLOE, "calendars")["value"]
    return str(next(one["id"] for one in found if one["name"] == "Partners"))
