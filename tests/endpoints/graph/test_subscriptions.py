"""What Graph is asked to tell of, and with how many requests."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import (
    AddressListTarget,
    CalendarTarget,
    Listed,
    MailboxTarget,
    SpokeConfig,
)
from cirahub_sync.configuration.target import AnyTarget
from cirahub_sync.endpoints.base import Target
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.endpoints.graph.subscriptions import GraphSubscriptions
from cirahub_sync.endpoints.subscriptions import Refusal, Refused, Wanted
from cirahub_sync.errors import LeaseLostError

from .conftest import TENANT, Cloud, open_fence

HERE = Target(TENANT, "ada-1", "folder/2")
NOBODY_LISTENS = "https://localhost:1/notifications"


@pytest.fixture
def subscriptions(cloud: Cloud, session: GraphSession) -> GraphSubscriptions:
    return GraphSubscriptions(session, open_fence, cloud.world.clock.time)


@pytest.mark.parametrize(
    ("target", "resources"),
    [
        (
            MailboxTarget("ada@contoso.example", "Team"),
            ("/users/ada-1/contactFolders/folder%2F2/contacts", "/users/ada-1/contacts"),
        ),
        (
            CalendarTarget("ada@contoso.example"),
            ("/users/ada-1/calendars/folder%2F2/events", "/users/ada-1/events"),
        ),
        (AddressListTarget((Listed.USERS,)), ()),
    ],
    ids=["contacts", "events", "address list"],
)
def test_a_folder_is_asked_for_before_its_whole_mailbox(
    cloud: Cloud, subscriptions: GraphSubscriptions, target: AnyTarget, resources: tuple[str, ...]
) -> None:
    spoke = SpokeConfig("spoke", "default/spoke", cloud.connection, target)
    assert subscriptions.resources(spoke, HERE) == resources


async def test_twenty_are_asked_for_in_a_request(
    cloud: Cloud, session: GraphSession, subscriptions: GraphSubscriptions
) -> None:
    mailbox = cloud.mailbox().user_id
    wanted = [Wanted(f"/users/{mailbox}/contacts", f"secret-{number}") for number in range(45)]
    answers = await subscriptions.create(wanted, url=NOBODY_LISTENS)
    assert {one.why for one in answers if isinstance(one, Refused)} == {Refusal.REFUSED}
    assert (len(answers), session.requests) == (45, 3)
    await subscriptions.end([f"id-{number}" for number in range(41)])
    assert session.requests == 6


async def test_what_nobody_has_is_none_any_more(subscriptions: GraphSubscriptions) -> None:
    (answer,) = await subscriptions.renew(["9d9bd7a7-7c10-4c7e-9e2a-2f2b2c2d2e2f"])
    assert isinstance(answer, Refused)
    assert answer.why is Refusal.GONE
    assert await subscriptions.standing(NOBODY_LISTENS) == {}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "moment": "after"},
        {"kind": "truncate"},
        {"kind": "status", "status": 503, "batched": False},
        {"kind": "status", "status": 429, "batched": True},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
async def test_an_answer_that_does_not_come_is_told_of_each_and_nothing_is_sent_again(
    cloud: Cloud,
    session: GraphSession,
    subscriptions: GraphSubscriptions,
    fault: dict[str, object],
) -> None:
    cloud.fault(method="POST", path="batch|subscriptions", **fault)
    wanted = [Wanted("/users/ada/contacts", "secret"), Wanted("/users/ada/events", "secret")]
    answers = await subscriptions.create(wanted, url=NOBODY_LISTENS)
    assert [one.why for one in answers if isinstance(one, Refused)] == [Refusal.UNAVAILABLE] * 2
    assert session.requests == 1


async def test_nothing_is_asked_for_by_a_process_that_may_write_no_more(
    cloud: Cloud, session: GraphSession
) -> None:
    def lost(_seconds: float) -> None:
        raise LeaseLostError("somebody else holds the hub")

    subscriptions = GraphSubscriptions(session, lost, cloud.world.clock.time)
    with pytest.raises(LeaseLostError):
        await subscriptions.end(["id-1"])
