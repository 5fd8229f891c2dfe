"""A create whose effect shows only after recovery has looked for it and given it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.chaos.town import quiet, verified
from tests.engine.conftest import Scene

from cirahub_sync.configuration import Direction
from cirahub_sync.endpoints.base import RemoteItem
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint

LOOKS = 2
"""At the end of the pass that sent it, and at the beginning of the next one."""


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first looks for a stamp find nothing, as if the effect were still on its way."""
    looks: list[int] = []
    original = GraphEndpoint.find

    async def find(self: GraphEndpoint, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        looks.append(len(keys))
        return {} if len(looks) <= LOOKS else await original(self, keys)

    monkeypatch.setattr(GraphEndpoint, "find", find)
    return looks


async def sent_and_given_up(scene: Scene, direction: Direction) -> dict[str, Any]:
    """Ann's copy at ben's, whose creation was answered 504; found by no look so far."""
    scene.connect("ada")
    scene.connect("ben", direction)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.admin.add_rule(
        "status",
        service="graph",
        method="POST",
        path="/contacts$",
        batched=True,
        status=504,
        moment="after",
        count=1,
    )
    await scene.sync()
    scene.advance(1.0)
    (copy,) = scene.held("ben")
    return copy


async def test_the_double_goes_after_verification_and_only_it(
    scene: Scene, blind: list[int]
) -> None:
    late = await sent_and_given_up(scene, Direction.RECEIVE)
    await scene.sync()
    assert blind == [1, 1]
    (kept,) = [copy for copy in scene.held("ben") if copy["id"] != late["id"]]
    own = scene.add("ben", displayName="Ann", email="ann@example.org")
    await verified(scene)
    assert {copy["id"] for copy in scene.held("ben")} == {kept["id"], own}
    scene.forget()
    await verified(scene)
    assert scene.writes() == []


async def test_a_double_is_not_made_where_the_changes_show_what_the_look_did_not(
    scene: Scene, blind: list[int]
) -> None:
    late = await sent_and_given_up(scene, Direction.TWO_WAY)
    await quiet(scene)
    await verified(scene)
    assert blind == [1, 1]
    assert [copy["id"] for copy in scene.held("ben")] == [late["id"]]


async def test_a_double_is_not_made_by_a_new_process(scene: Scene, blind: list[int]) -> None:
    late = await sent_and_given_up(scene, Direction.RECEIVE)
    await scene.restart()
    await quiet(scene)
    await verified(scene)
    assert blind == [1, 1]
    assert [copy["id"] for copy in scene.held("ben")] == [late["id"]]


@pytest.mark.parametrize("direction", [Direction.RECEIVE, Direction.TWO_WAY])
async def test_a_users_copy_of_a_contact_that_was_taken_for_lost_is_left_alone(
    scene: Scene, blind: list[int], direction: Direction
) -> None:
    """It carries the stamp of the create that was given up, too."""
    late = await sent_and_given_up(scene, direction)
    await scene.restart()
    await quiet(scene)
    assert blind == [1, 1]
    assert [copy["id"] for copy in scene.held("ben")] == [late["id"]]
    made = scene.admin.copy_contact(scene.mailbox("ben"), late["id"])
    await verified(scene)
    await verified(scene)
    assert {copy["id"] for copy in scene.held("ben")} >= {late["id"], made["id"]}
