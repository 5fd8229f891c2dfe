"""Subscriptions to change notifications, over real connections to and from the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.chaos.settings import OF_NOTIFICATIONS, Setting, single

from cirahub_sync.configuration import Direction
from cirahub_sync.endpoints.graph.subscriptions import LIFE

from .conftest import Scene
from .ear import Ear, listening


@pytest.fixture
async def ear(scene: Scene) -> AsyncIterator[Ear]:
    """Of a hub with a contributor, a two-way spoke and a receiver, in sync but for what was told
    last."""
    scene.connect("ada")
    scene.connect("cy", Direction.TWO_WAY)
    scene.connect("eve", Direction.RECEIVE)
    scene.add("ada", displayName="Ada's", email="ada@example.org", companyName="Old")
    async with listening(scene) as made:
        await scene.settle()
        yield made


def resources(scene: Scene) -> list[str]:
    return [one["resource"] for one in scene.admin.subscriptions()]


def asked(scene: Scene, method: str) -> list[dict[str, Any]]:
    return [
        one
        for one in scene.requests()
        if one["method"] == method and "/subscriptions" in one["path"]
    ]


async def spread(scene: Scene, ear: Ear, passes: int = 6) -> int:
    """Passes over what is told of, until nothing is any more; how many it took."""
    for number in range(passes):
        await ear.hushed()
        if not ear.waiting():
            return number
        await scene.sync(notified_only=True)
    raise AssertionError("it does not come to an end")


async def test_whoever_contributes_is_subscribed_to_once_it_has_been_read(
    scene: Scene, ear: Ear
) -> None:
    report = await scene.sync()
    assert len(resources(scene)) == 2
    assert report.subscriptions == {"active": 2}
    assert report.problem is None
    assert [spoke.unsubscribed for spoke in report.spokes.values()] == [None, None, None]
    scene.forget()
    await scene.sync()
    assert asked(scene, "POST") + asked(scene, "PATCH") + asked(scene, "GET") == []


async def test_an_edit_is_told_of_and_reaches_the_others_by_a_pass_that_reads_one_spoke(
    scene: Scene, ear: Ear
) -> None:
    await spread(scene, ear)
    scene.edit("ada", scene.the("ada", "Ada's")["id"], companyName="New")
    await ear.told_of("ada")
    assert ear.mailroom.waiting() == {scene.hub.name}
    await scene.sync(notified_only=True)
    assert scene.the("eve", "Ada's")["companyName"] == "New"
    assert scene.the("cy", "Ada's")["companyName"] == "New"


async def test_our_own_writes_are_told_of_and_looked_at_once(scene: Scene, ear: Ear) -> None:
    await spread(scene, ear)
    scene.edit("ada", scene.the("ada", "Ada's")["id"], companyName="New")
    await ear.told_of("ada")
    await scene.sync(notified_only=True)
    await ear.told_of("cy")
    scene.forget()
    assert await spread(scene, ear) == 1
    assert (scene.writes(), len(scene.requests())) == ([], 1)


async def test_what_happened_between_the_reading_and_the_subscription_is_looked_at(
    scene: Scene, ear: Ear
) -> None:
    """Each new one has its spoke read once more."""
    await spread(scene, ear)
    scene.connect("ben")

    def after_reading(line: str) -> None:
        if line.startswith("delivering") and not scene.held("ben"):
            scene.add("ben", displayName="Ben's", email="ben@example.org")

    await scene.sync(progress=after_reading)
    assert "Ben's" not in scene.names("eve")
    assert await spread(scene, ear) >= 1
    assert "Ben's" in scene.names("eve")


async def test_a_subscription_is_renewed_when_a_third_of_its_life_is_left(
    scene: Scene, ear: Ear
) -> None:
    await spread(scene, ear)
    before = {one["id"]: one["expires"] for one in scene.admin.subscriptions()}
    scene.advance(LIFE * 0.6)
    await scene.sync()
    assert {one["id"]: one["expires"] for one in scene.admin.subscriptions()} == before
    scene.advance(LIFE * 0.08)
    scene.forget()
    await scene.sync()
    after = {one["id"]: one["expires"] for one in scene.admin.subscriptions()}
    assert (len(asked(scene, "PATCH")), after.keys()) == (2, before.keys())
    assert all(after[id_] > before[id_] for id_ in before)
    scene.forget()
    await scene.sync()
    assert asked(scene, "PATCH") == []


async def test_one_that_the_service_wants_authorised_anew_is_renewed(
    scene: Scene, ear: Ear
) -> None:
    await spread(scene, ear)
    one, _ = scene.admin.subscriptions()
    tells(scene, one, "reauthorizationRequired")
    await ear.until(ear.waiting, "nothing was told")
    scene.forget()
    await spread(scene, ear)
    assert [entry["path"] for entry in asked(scene, "PATCH")] == [f"/subscriptions/{one['id']}"]


async def test_one_that_was_removed_is_made_anew_and_its_spoke_looked_at(
    scene: Scene, ear: Ear
) -> None:
    await spread(scene, ear)
    one = next(each for each in scene.admin.subscriptions() if "ada" in _owner(scene, each))
    scene.admin.add_rule("drop", service="notification", operation="updated")
    scene.edit("ada", scene.the("ada", "Ada's")["id"], companyName="Untold")
    await ear.hushed()
    tells(scene, one, "subscriptionRemoved")
    await ear.told_of("ada")
    await scene.sync(notified_only=True)
    assert scene.the("eve", "Ada's")["companyName"] == "Untold"
    ids = {each["id"] for each in scene.admin.subscriptions()}
    assert (len(ids), one["id"] in ids) == (2, False)


async def test_what_was_missed_is_looked_for(scene: Scene, ear: Ear) -> None:
    await spread(scene, ear)
    for one in scene.admin.subscriptions():
        tells(scene, one, "missed")
    await ear.told_of("ada", "cy")
    scene.forget()
    await scene.sync(notified_only=True)
    assert len(scene.requests()) == 2


def tells(scene: Scene, one: dict[str, Any], event: str) -> None:
    """What the service tells of a subscription itself."""
    scene.admin.call("POST", f"/subscriptions/{one['id']}/lifecycle", {"event": event})


def _owner(scene: Scene, one: dict[str, Any]) -> str:
    user = scene.simulator.world.directory.find_user(one["user_id"])
    return "" if user is None else user.user_principal_name


async def test_an_endpoint_that_does_not_answer_is_told_with_the_spoke_and_holds_up_nothing(
    scene: Scene, ear: Ear
) -> None:
    await spread(scene, ear)
    ear.deaf = True
    scene.connect("ben")
    scene.add("ben", displayName="Ben's", email="ben@example.org")
    report = await scene.settle()
    refused = report.spokes["spoke-ben"].unsubscribed
    assert refused is not None
    assert refused.reason == "NotificationsRefused"
    assert "--notifications-url" in refused.message
    assert report.subscriptions == {"active": 2, "refused": 1}
    assert "Ben's" in scene.names("eve")
    ear.deaf = False
    scene.forget()
    report = await scene.sync()
    assert (asked(scene, "POST"), report.spokes["spoke-ben"].unsubscribed) == ([], refused)
    scene.advance(600.0)
    report = await scene.sync()
    assert report.subscriptions == {"active": 3}
    assert report.spokes["spoke-ben"].unsubscribed is None


async def test_a_mailbox_that_may_not_be_subscribed_to_is_told_with_its_spoke(
    scene: Scene, ear: Ear
) -> None:
    scene.admin.add_rule("status", method="POST", path="^/subscriptions$", status=403)
    scene.connect("ben")
    report = await scene.settle()
    refused = report.spokes["spoke-ben"].unsubscribed
    assert refused is not None
    assert (refused.reason, "request" in refused.message) == ("NotificationsDenied", False)


async def test_where_a_folder_can_not_be_subscribed_to_its_mailbox_is(
    scene: Scene, ear: Ear
) -> None:
    scene.admin.switch(subscribed_folders="whole-mailbox-only")
    scene.connect("ben")
    await scene.settle()
    assert any(one.count("/") == 3 for one in resources(scene))
    await spread(scene, ear)
    scene.add("ben", displayName="Ben's", email="ben@example.org")
    await ear.told_of("ben")


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param(each, id="-".join(f"{name}={value}" for name, value in each.items()))
        for each in single(OF_NOTIFICATIONS)[1:]
    ],
)
async def test_whatever_the_service_tells_everything_arrives_with_the_interval_at_the_latest(
    scene: Scene, ear: Ear, setting: Setting
) -> None:
    scene.admin.switch(**setting)
    scene.connect("ben")
    scene.add("ben", displayName="Ben's", email="ben@example.org")
    await scene.settle()
    await spread(scene, ear)
    scene.edit("ben", scene.the("ben", "Ben's")["id"], companyName="New")
    scene.remove("ada", scene.the("ada", "Ada's")["id"])
    await spread(scene, ear)
    await scene.settle()
    assert scene.the("eve", "Ben's")["companyName"] == "New"
    scene.advance(2 * scene.hub.deletion.grace_period)
    await scene.settle()
    assert "Ada's" not in scene.names("eve")
    assert await spread(scene, ear) <= 1


async def test_one_whose_answer_was_lost_is_in_nobody_s_way(scene: Scene, ear: Ear) -> None:
    """What it tells is told by nobody that is known, and it ends by itself."""
    await spread(scene, ear)
    scene.connect("ben")
    await scene.sync()
    scene.keep.change("delete from subscriptions")
    scene.advance(600.0)
    await scene.sync()
    await spread(scene, ear)
    scene.add("ben", displayName="Ben's", email="ben@example.org")
    await ear.told_of("ben")
    await spread(scene, ear)
    assert "Ben's" in scene.names("eve")
    assert ear.unknown > 0


async def test_what_a_store_that_was_lost_had_subscribed_to_goes_where_it_is_in_the_way(
    scene: Scene, ear: Ear
) -> None:
    """https://learn.microsoft.com/graph/api/subscription-post-subscriptions: a second one for the
    same is refused, which the simulator does by a rule."""
    await spread(scene, ear)
    before = {one["id"] for one in scene.admin.subscriptions()}
    await scene.lose_store()
    scene.admin.add_rule("status", method="POST", path="^/subscriptions$", status=409, count=2)
    report = await scene.sync(2)
    assert report.subscriptions == {"active": 2}
    after = {one["id"] for one in scene.admin.subscriptions()}
    assert (len(after), after & before) == (2, set())


async def test_what_tells_of_the_same_for_somebody_else_is_left_alone(
    scene: Scene, ear: Ear
) -> None:
    await spread(scene, ear)
    before = {one["id"] for one in scene.admin.subscriptions()}
    scene.notifications = ear.url + "?at=another"
    scene.keep.change("delete from subscriptions")
    await scene.restart()
    scene.admin.add_rule("status", method="POST", path="^/subscriptions$", status=409)
    report = await scene.sync()
    assert report.subscriptions == {"refused": 2}
    refused = report.spokes["spoke-ada"].unsubscribed
    assert refused is not None
    assert refused.reason == "NotificationsElsewhere"
    assert {one["id"] for one in scene.admin.subscriptions()} == before


@pytest.mark.parametrize("how", ["receives", "switched off", "leaves", "moves"])
async def test_nobody_is_told_of_a_spoke_any_more_that_is_not_read(
    scene: Scene, ear: Ear, how: str
) -> None:
    await spread(scene, ear)
    if how == "receives":
        scene.connect("cy", Direction.RECEIVE)
        await scene.sync()
    elif how == "leaves":
        await scene.erase("cy")
    elif how == "moves":
        scene.notifications = ear.url + "?at=another"
        await scene.restart()
        await scene.sync()
        assert {one["notification_url"] for one in scene.admin.subscriptions()} == {
            scene.notifications
        }
        return
    else:
        scene.notifications = ""
        await scene.restart()
        await scene.sync()
        assert scene.admin.subscriptions() == []
        assert scene.keep.rows("select * from subscriptions") == []
        return
    assert len(resources(scene)) == 1
    assert len(scene.keep.rows("select * from subscriptions")) == 1


async def test_a_hub_that_is_erased_has_no_subscription_left(scene: Scene, ear: Ear) -> None:
    spokes = list(scene.spokes.values())
    await scene.worker.leave_hub(scene.hub, erase_at=scene.clock(), spokes=spokes)
    report = await scene.worker.erase(scene.hub.uid, spokes=spokes)
    assert report.complete
    assert scene.admin.subscriptions() == []
