"""`examples/calendars-exchange`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

from tests.demo.calendars import GUESTS, NEVER, Exchange, Graph, day, moments, short, weekly
from tests.demo.played import Played

from cirahub_simulator.seed.generate import CIRAHUB
from demo.stage import Stage

ANNA = "anna.bergstrom@contoso.example"
BJORN = "bjorn.eriksson@contoso.example"
OLGA = "olga.nowak@adatum.example"
PAUL = "paul.lefevre@adatum.example"


def test_a_tenant_and_a_server_have_each_others_appointments(stage: Stage) -> None:
    """Invariant 10, end to end, over both services."""
    example = Played(stage, "calendars-exchange")
    admin = example.admin
    example.apply()
    admin.grant(CIRAHUB, "contoso.example", ["Calendars.ReadWrite", "User.Read.All"])
    graph, exchange = Graph(example.simulator), Exchange(example.simulator)
    series = graph.adds(ANNA, subject="Stand-up", location={"displayName": "Room 1"}, **weekly())
    graph("PATCH", ANNA, f"events/{graph.occurrence(ANNA, series['id'], day(7))}", moments(13, 7))
    graph("DELETE", ANNA, f"events/{graph.occurrence(ANNA, series['id'], day(14))}")
    admin.create_event(OLGA, {"subject": "Lunch", **moments(12, 3)})
    admin.create_event(OLGA, {"subject": "Negotiation", "attendees": GUESTS, **moments(11, 2)})
    admin.create_event(OLGA, {"subject": "Rounds", **moments(8), **weekly()})
    invitations = admin.messages()
    assert {message["kind"] for message in invitations} == {"invitation"} <= NEVER
    for name in ("contoso", "adatum"):
        example.look("connection", name)

    def equal() -> bool:
        wanted = sorted([*short(graph.shown(ANNA, "")), *exchange.shown(OLGA, "")])
        return short(graph.shown(BJORN, "Partners")) == wanted == exchange.shown(PAUL, "Partners")

    example.until(equal)
    example.wait_ready()
    assert len(exchange.shown(OLGA, "")) == 1 + 1 + 6

    # One edits a copy on the server; it is so in the cloud, and where it comes from it is not.
    exchange.renames(PAUL, "Stand-up", "Stand-up, all")

    def edited() -> bool:
        there = {event[2] for event in graph.shown(BJORN, "Partners")}
        return "Stand-up, all" in there and "Stand-up" not in there

    example.until(edited)
    assert "Stand-up" in {event[2] for event in graph.shown(ANNA, "")}
    assert admin.messages() == invitations
