"""Outlook's limits for an application and a mailbox."""

from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta
from typing import Any

import aiohttp

from cirahub_simulator.client import AdminClient
from cirahub_simulator.clock import Clock
from cirahub_simulator.directory import Principal
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.switches import Switches
from cirahub_simulator.throttle import Limits, Throttle
from cirahub_simulator.wire import Request

from .conftest import ANNA, GraphClient, SignIn

CONTACTS = f"/users/{ANNA}/contacts"
SWITCHES = Switches()


def request(client: str = "app", size: int = 0) -> Request:
    return Request(
        method="POST", path="/", body=b"x" * size, client=Principal("t", client, frozenset())
    )


def test_the_request_over_the_limit_is_told_when_to_come_back(
    graph: GraphClient, admin: AdminClient
) -> None:
    admin.throttle(requests=3)
    assert [graph.call("GET", CONTACTS).status_code for _ in range(3)] == [200] * 3

    answer = graph.call("GET", CONTACTS)

    assert answer.status_code == 429
    assert 590 <= int(answer.headers["Retry-After"]) <= 600
    assert answer.json()["error"]["code"] == "ApplicationThrottled"


def test_the_limit_frees_itself_with_time(graph: GraphClient, admin: AdminClient) -> None:
    admin.throttle(requests=1)
    graph.call("GET", CONTACTS)
    assert graph.call("GET", CONTACTS).status_code == 429

    admin.advance(601)

    assert graph.call("GET", CONTACTS).status_code == 200


def test_requests_inside_a_batch_are_counted_one_by_one(
    graph: GraphClient, admin: AdminClient
) -> None:
    admin.throttle(requests=2)
    part = {"method": "GET", "url": CONTACTS}

    answer = graph.call(
        "POST", "/$batch", json={"requests": [{"id": str(n), **part} for n in range(4)]}
    )

    parts = {p["id"]: p for p in answer.json()["responses"]}
    assert [parts[str(n)]["status"] for n in range(4)] == [200, 200, 429, 429]
    assert "Retry-After" in parts["3"]["headers"]


def test_each_mailbox_and_each_application_has_a_limit_of_its_own() -> None:
    throttle = Throttle(Clock(), Limits(requests=1))

    assert throttle.admit(SWITCHES, request(), "anna") is None
    assert throttle.admit(SWITCHES, request(), "bob") is None
    assert throttle.admit(SWITCHES, request("other"), "anna") is None
    assert throttle.admit(SWITCHES, request(), "anna") is not None


def test_uploads_are_limited_by_their_bytes() -> None:
    clock = Clock()
    throttle = Throttle(clock, Limits(upload_bytes=100))
    assert throttle.admit(SWITCHES, request(size=80), "anna") is None

    assert throttle.admit(SWITCHES, request(size=30), "anna") is not None
    assert throttle.admit(SWITCHES, request(size=20), "anna") is None
    clock.advance(timedelta(seconds=301))
    assert throttle.admit(SWITCHES, request(size=100), "anna") is None


def test_a_refused_request_uses_nothing_up() -> None:
    throttle = Throttle(Clock(), Limits(upload_bytes=100))

    assert throttle.admit(SWITCHES, request(size=200), "anna") is not None
    assert throttle.admit(SWITCHES, request(size=100), "anna") is None
    assert throttle.refused == 1


def test_a_batch_competes_for_slots_four_requests_at_a_time() -> None:
    throttle = Throttle(Clock(), Limits(concurrent=4))
    throttle.begin()
    throttle.admit(SWITCHES, request(), "anna")
    throttle.admit(SWITCHES, request(), "anna")
    throttle.handled()
    batch = throttle.begin()

    refused = [throttle.admit(SWITCHES, request(), "anna") is not None for _ in range(8)]

    assert refused == [False, False, True, True] * 2
    throttle.end(batch)
    throttle.begin()
    assert throttle.admit(SWITCHES, request(), "anna") is None


def test_concurrency_counts_all_applications_when_the_switch_says_so() -> None:
    for per, refused in (("mailbox", True), ("app-and-mailbox", False)):
        switches = Switches(concurrency_per=per)  # type: ignore[arg-type]
        throttle = Throttle(Clock(), Limits(concurrent=1))
        throttle.begin()
        throttle.admit(switches, request("one"), "anna")
        throttle.begin()

        assert (throttle.admit(switches, request("two"), "anna") is not None) == refused


def test_an_application_has_a_limit_over_all_mailboxes() -> None:
    clock = Clock()
    throttle = Throttle(clock, Limits(app_requests=3))
    for mailbox in ("anna", "bob", "carl"):
        assert throttle.admit(SWITCHES, request(), mailbox) is None

    refusal = throttle.admit(SWITCHES, request(), "dora")

    assert refusal is not None
    assert refusal.headers["Retry-After"] == "10"
    assert throttle.admit(SWITCHES, request("other"), "dora") is None
    clock.advance(timedelta(seconds=11))
    assert throttle.admit(SWITCHES, request(), "dora") is None


def test_a_batch_is_four_requests_at_a_time_or_one() -> None:
    for batch, batches in (("each", 1), ("one", 4)):
        switches = Switches(batch_concurrency=batch)  # type: ignore[arg-type]
        throttle = Throttle(Clock())
        fits = 0
        for _ in range(6):
            throttle.begin()
            answers = [throttle.admit(switches, request(), "anna") for _ in range(20)]
            fits += not any(answers)
        assert fits == batches


async def test_a_fifth_concurrent_request_is_refused(
    simulator: EmbeddedSimulator, sign_in: SignIn, tls: ssl.SSLContext
) -> None:
    simulator.world.latency = 0.5
    url = f"{simulator.endpoints.graph}/v1.0{CONTACTS}?$top=1"
    headers = {"Authorization": f"Bearer {sign_in.token()}"}

    async with aiohttp.ClientSession(headers=headers) as session:

        async def status() -> Any:
            async with session.get(url, ssl=tls) as response:
                return response.status

        statuses = await asyncio.gather(*(status() for _ in range(5)))
        later = await status()

    assert sorted(statuses) == [200, 200, 200, 200, 429]
    assert later == 200
