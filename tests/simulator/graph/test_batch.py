"""$batch: twenty requests in one, each on its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulator.graph.cloud import ADA, BOB, Client

from cirahub_simulator.faults import Rule
from cirahub_simulator.graph.seed import mailbox_of
from cirahub_simulator.throttle import Limits

CONTACTS = f"/users/{ADA}/contacts"


def create(part_id: str, name: str = "A", **more: Any) -> dict[str, Any]:
    """A part that creates a contact."""
    return {
        "id": part_id,
        "method": "POST",
        "url": CONTACTS,
        "headers": {"Content-Type": "application/json"},
        "body": {"givenName": name},
        **more,
    }


def send(client: Client, *parts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Send a batch; the answers by id."""
    answer = client.post("/$batch", {"requests": list(parts)})
    assert answer.status == 200, answer.json
    return {part["id"]: part for part in answer.json["responses"]}


def test_each_request_has_its_own_answer(client: Client) -> None:
    made = client.post(CONTACTS, {"givenName": "old"}).json["id"]
    answers = send(
        client,
        create("1"),
        {"id": "2", "method": "GET", "url": f"{CONTACTS[1:]}/{made}?$select=givenName"},
        {"id": "3", "method": "get", "url": f"{CONTACTS}/nonsense"},
        {"id": "4", "method": "DELETE", "url": f"{CONTACTS}/{made}"},
        {"id": "5", "method": "GET", "url": f"{CONTACTS}/$count", "body": None},
    )
    assert {part_id: part["status"] for part_id, part in answers.items()} == {
        "1": 201,
        "2": 200,
        "3": 400,
        "4": 204,
        "5": 200,
    }
    assert answers["1"]["body"]["givenName"] == "A"
    assert answers["2"]["body"]["givenName"] == "old"
    assert answers["3"]["body"]["error"]["code"] == "ErrorInvalidIdMalformed"
    assert "body" not in answers["4"]


def test_headers_are_each_requests_own(client: Client) -> None:
    answers = send(
        client,
        create("1"),
        create("2", headers={"content-type": "application/json", "Prefer": 'IdType="ImmutableId"'}),
    )
    assert "Preference-Applied" not in answers["1"]["headers"]
    assert answers["2"]["headers"]["Preference-Applied"] == 'IdType="ImmutableId"'
    assert answers["2"]["body"]["id"].startswith("AAkA")


def test_what_depends_on_a_failure_fails(client: Client) -> None:
    answers = send(
        client,
        create("last", dependsOn=["bad"]),
        create("next", dependsOn=["first"]),
        create("bad", dependsOn=["first"], body={"colour": "red"}),
        create("first"),
    )
    assert {part_id: part["status"] for part_id, part in answers.items()} == {
        "first": 201,
        "next": 201,
        "bad": 400,
        "last": 424,
    }
    assert len(client.get(CONTACTS).items) == 2


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [create(str(number)) for number in range(21)],
        [create("a"), create("A")],
        [create("1", dependsOn=["2"])],
        [create("1", dependsOn=["2"]), create("2", dependsOn=["1"])],
        [create("1", headers={})],
        [create("1", method="BREW")],
        [create("1", url="https://elsewhere.example/users")],
        [{"id": "1", "method": "GET"}],
    ],
)
def test_a_malformed_batch_fails_as_a_whole(client: Client, parts: list[dict[str, Any]]) -> None:
    client.judged = False
    assert client.post("/$batch", {"requests": parts}).status == 400
    assert client.get(CONTACTS).items == []


def test_a_batch_in_a_batch_is_refused(client: Client) -> None:
    answers = send(client, create("1", url="/$batch", body={"requests": [create("1")]}))
    assert answers["1"]["status"] == 400


def test_each_request_is_metered(client: Client) -> None:
    client.service.world.throttle.limits = Limits(requests=3)
    answers = send(client, *(create(str(number)) for number in range(5)))
    assert [part["status"] for part in answers.values()] == [201, 201, 201, 429, 429]
    assert int(answers["4"]["headers"]["Retry-After"]) > 0
    other = create("1", url=f"/users/{BOB}/contacts")
    assert send(client, other)["1"]["status"] == 201


def test_faults_meet_single_requests_before_or_after_their_effect(client: Client) -> None:
    faults = client.service.world.faults
    faults.add(Rule(kind="status", status=504, batched=True, count=1, moment="after"))
    faults.add(Rule(kind="status", status=503, batched=True, count=1, retry_after=7))
    answers = send(client, create("1", "after"), create("2", "before"), create("3", "fine"))
    assert [part["status"] for part in answers.values()] == [504, 503, 201]
    assert answers["2"]["headers"]["Retry-After"] == "7"
    assert [c["givenName"] for c in client.get(CONTACTS).items] == ["after", "fine"]


def test_requests_inside_are_noted_in_the_journal(client: Client) -> None:
    send(client, create("1"), create("2"))
    noted = client.service.world.journal.entries()
    assert [entry.status for entry in noted] == [201, 201]
    assert all(entry.batch for entry in noted)


@pytest.mark.parametrize("order", ["as-sent", "reversed", "shuffled"])
def test_the_order_of_effects_and_of_answers_is_open(
    switched: Callable[..., Client], order: str
) -> None:
    client = switched(batch_order=order, batch_answers=order)
    parts = [create(str(number), f"N{number}") for number in range(6)]
    answers = client.post("/$batch", {"requests": parts}).json["responses"]
    made = [c.fields.given_name for c in _contacts(client)]
    sent = [f"N{number}" for number in range(6)]
    assert sorted(part["id"] for part in answers) == [str(number) for number in range(6)]
    assert (made == sent) is (order == "as-sent")
    assert sorted(str(name) for name in made) == sent
    chain = [
        create("a", "first"),
        create("b", "second", dependsOn=["a"]),
        create("c", "third", dependsOn=["b"]),
    ]
    send(client, *chain)
    assert [c.fields.given_name for c in _contacts(client)][6:] == ["first", "second", "third"]


def _contacts(client: Client) -> list[Any]:
    return list(mailbox_of(client.service.world, ADA).default_folder.contacts.values())
