"""One broken item, spoke, tenant or store never stops the others, changes nothing else, and comes
right by itself once it is repaired (invariants 13 and 14)."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from cirahub_simulator.directory import User
from cirahub_sync.configuration import ClientSecretAuth, Direction, SecretFile
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import KeyUnavailableError, StoreError

from .conftest import CLIENT, Scene

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY
DAY = 86_400.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(*_: object) -> None:
        return None

    monkeypatch.setattr(GraphSession, "_rest", at_once)


def _user(scene: Scene, name: str) -> User:
    user = scene.simulator.world.directory.find_user(scene.mailbox(name))
    assert user is not None
    return user


def _id(scene: Scene, name: str) -> str:
    """As it stands in the path of a request."""
    return quote(scene.the("ada", name)["immutableId"], safe="")


# Connections


async def test_a_pass_does_not_rely_on_connections_that_were_left_open(scene: Scene) -> None:
    """The service closes them when it likes."""
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Grace")
    await scene.settle()
    for title in ("Baker", "Brewer", "Cooper"):
        scene.edit("ada", scene.the("ada", "Grace")["id"], jobTitle=title)
        assert scene.admin.close_connections()
        report = await scene.sync()
        assert [one.problem for one in report.spokes.values()] == [None, None]
        assert scene.the("ben", "Grace")["jobTitle"] == title
    assert len(scene.held("ben")) == 1


# Items


async def test_an_item_that_the_service_refuses_holds_up_no_other(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    for n in range(30):
        scene.add("ada", displayName=f"P{n:02}", email=f"p{n}@example.org")
    rule = scene.admin.add_rule("status", method="POST", path="/contacts$", status=400, count=1)
    report = await scene.sync()
    assert len(scene.held("ben")) == 29
    assert report.spokes["spoke-ben"].problem is None
    assert report.spokes["spoke-ben"].counts.pending == 1
    scene.admin.remove_rule(rule)
    scene.advance(DAY + 1)
    report = await scene.settle()
    assert len(scene.held("ben")) == 30
    assert report.pending == 0


async def test_a_refused_item_is_sent_again_when_it_changes(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.admin.add_rule("status", method="POST", path="/contacts$", status=400, count=1)
    await scene.sync()
    scene.edit("ada", ann, jobTitle="Baker")
    report = await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Baker"
    assert report.pending == 0


async def test_an_item_that_cannot_be_read_is_tried_again_and_never_lost(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.add("ada", displayName="Bob", email="bob@example.org")
    scene.edit("ada", ann, jobTitle="Brewer")
    scene.add("ada", displayName="Cat", email="cat@example.org")
    rules = [
        scene.admin.add_rule(
            "status", method="GET", path=f"/contacts/{_id(scene, one)}", status=400
        )
        for one in ("Ann", "Bob")
    ]
    scene.admin.expire_delta_tokens(scene.mailbox("ada"))
    for _ in range(3):
        scene.advance(DAY)
        report = await scene.sync()
        assert scene.names("ben") == ["Ann", "Cat"]
        assert report.spokes["spoke-ada"].problem is None
        assert report.spokes["spoke-ada"].counts.unreadable == 2
    for rule in rules:
        scene.admin.remove_rule(rule)
    scene.advance(DAY)
    report = await scene.settle()
    assert scene.names("ben") == ["Ann", "Bob", "Cat"]
    assert scene.the("ben", "Ann")["jobTitle"] == "Brewer"
    assert report.spokes["spoke-ada"].counts.unreadable == 0


# Spokes


def _gone(scene: Scene, name: str) -> Callable[[], None]:
    user = _user(scene, name)
    user.has_mailbox = False

    def repair() -> None:
        user.has_mailbox = True

    return repair


def _rule(**fields: Any) -> Callable[[Scene, str], Callable[[], None]]:
    def break_it(scene: Scene, name: str) -> Callable[[], None]:
        rule = scene.admin.add_rule(path=f"/users/{_user(scene, name).id}/", **fields)
        return lambda: scene.admin.remove_rule(rule)

    return break_it


BROKEN = {
    "its mailbox is gone": _gone,
    "access is denied": _rule(kind="status", status=403),
    "it is away for ever": _rule(kind="status", status=503),
    "its answers are cut off": _rule(kind="truncate"),
    "its connections drop": _rule(kind="drop"),
}


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("how", list(BROKEN))
async def test_a_broken_spoke_stops_no_other_and_recovers(
    scene: Scene, how: str, direction: Direction
) -> None:
    scene.connect("ada")
    scene.connect("bad", direction)
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    if direction.contributes:
        scene.add("bad", displayName="Bad", email="bad@example.org")
    await scene.settle()
    before = scene.names("cy")
    repair = BROKEN[how](scene, "bad")
    scene.add("ada", displayName="Bob", email="bob@example.org")
    scene.advance(2 * DAY)
    report = await scene.sync(2)
    assert scene.names("cy") == sorted([*before, "Bob"])
    assert report.problem is None
    if "drop" not in how and "cut" not in how:
        problem = report.spokes["spoke-bad"].problem
        assert problem is not None
    repair()
    if direction.contributes:
        scene.add("bad", displayName="Zoe", email="zoe@example.org")
    scene.advance(2 * DAY)
    await scene.sync()
    report = await scene.settle()
    assert scene.names("cy") == sorted([*before, "Bob", *(["Zoe"] * direction.contributes)])
    if direction.receives:
        assert len(scene.held("bad")) == len(scene.held("cy"))
    assert report.pending == 0


async def test_a_tenant_that_refuses_to_sign_in_stops_no_other(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("cy", RECEIVE)
    other = msgspec.structs.replace(
        scene.connection,
        uid="connection-2",
        name="default/fabrikam",
        auth=ClientSecretAuth(
            "99999999-9999-4999-8999-999999999999", CLIENT, secret=SecretFile("test")
        ),
    )
    scene.connect("bad", TWO_WAY)
    scene.spokes["bad"] = msgspec.structs.replace(scene.spokes["bad"], connection=other)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    report = await scene.sync(2)
    assert scene.names("cy") == ["Ann"]
    problem = report.spokes["spoke-bad"].problem
    assert problem is not None
    assert problem.reason == "TenantNotFound"


# The store


async def _closed(scene: Scene) -> bytes:
    await scene.worker.close()
    return scene.database.read_bytes()


async def test_a_wrong_key_opens_nothing_and_changes_nothing(scene: Scene, tmp_path: Path) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    before = await _closed(scene)
    key = tmp_path / "key"
    right = key.read_bytes()
    key.write_bytes(base64.b64encode(os.urandom(32)))
    with pytest.raises(KeyUnavailableError):
        scene._open()
    key.unlink()
    with pytest.raises(KeyUnavailableError):
        scene._open()
    assert scene.database.read_bytes() == before
    key.write_bytes(right)
    scene.worker = scene._open()
    report = await scene.sync()
    assert report.written == 0
    assert scene.names("ben") == ["Ann"]


async def test_a_damaged_store_is_an_error_and_not_a_fresh_start(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    whole = await _closed(scene)
    damaged = b"this is no database" + whole[19:]
    scene.database.write_bytes(damaged)
    with pytest.raises(StoreError):
        scene._open()
    assert scene.database.read_bytes() == damaged
    scene.database.write_bytes(whole)
    scene.worker = scene._open()
    report = await scene.sync()
    assert report.written == 0
    assert scene.names("ben") == ["Ann"]


async def test_a_store_that_is_damaged_while_it_is_open_is_told_in_the_report(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    whole = await _closed(scene)
    scene.worker = scene._open()
    scene.database.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    report = await scene.sync()
    assert report.problem is not None
    assert report.problem.reason == "StoreUnavailable"
    assert scene.names("ben") == ["Ann"]
    await scene.restart(before=lambda: _restore(scene.database, whole))
    report = await scene.settle()
    assert report.written == 0


def _restore(path: Path, whole: bytes) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(whole)
