"""A target (tenant, mailbox id, folder id) belongs to one spoke; the second is `TargetInUse`,
however it spells the target, and comes right by itself when the first is gone."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from tests.engine.conftest import CLIENT, TENANT, Scene, scene

from cirahub_simulator.directory import Tenant, User
from cirahub_sync.configuration import (
    AnyTarget,
    ClientSecretAuth,
    ConnectionConfig,
    Direction,
    HubConfig,
    MailboxTarget,
    SecretFile,
    SpokeConfig,
)
from cirahub_sync.engine.report import Problem

__all__ = ["scene"]


def _user_id(scene: Scene) -> str:
    user = scene.simulator.world.directory.find_user("ben@contoso.example")
    assert user is not None
    return user.id


SPELLINGS: dict[str, Callable[[Scene], MailboxTarget]] = {
    "the same": lambda _: MailboxTarget("ben@contoso.example", "Team/Inner"),
    "the address in capitals": lambda _: MailboxTarget("BEN@Contoso.Example", "Team/Inner"),
    "the user's id": lambda scene: MailboxTarget(_user_id(scene), "Team/Inner"),
    "the user's id in capitals": lambda scene: MailboxTarget(_user_id(scene).upper(), "Team/Inner"),
    "the primary address": lambda _: MailboxTarget("benjamin@contoso.example", "Team/Inner"),
    "the folder in capitals": lambda _: MailboxTarget("ben@contoso.example", "TEAM/inner"),
    "blanks around the folders": lambda _: MailboxTarget("ben@contoso.example", " Team / Inner "),
}


@pytest.fixture
def first(scene: Scene) -> SpokeConfig:
    """Whose primary address is not the user principal name."""
    spoke = scene.connect("ben", Direction.RECEIVE, folder="Team/Inner")
    user = scene.simulator.world.directory.find_user("ben@contoso.example")
    assert user is not None
    user.mail = "benjamin@contoso.example"
    scene.connect("ada")
    scene.add("ada", displayName="Ann", email="ann@example.org")
    return spoke


def _intrude(
    scene: Scene, target: AnyTarget, connection: ConnectionConfig | None = None
) -> SpokeConfig:
    made = SpokeConfig(
        uid="spoke-intruder",
        name="default/intruder",
        connection=connection or scene.connection,
        target=target,
        direction=Direction.RECEIVE,
    )
    scene.spokes["intruder"] = made
    return made


async def _refused(scene: Scene) -> None:
    """The second one stalls and writes nothing, the first one goes on."""
    problem = (await scene.sync(2)).spokes["spoke-intruder"].problem
    _is_in_use(problem)
    ann = scene.the("ada", "Ann")["id"]
    scene.edit("ada", ann, jobTitle="Brewer")
    report = await scene.sync(2)
    assert report.spokes["spoke-ben"].problem is None
    _is_in_use(report.spokes["spoke-intruder"].problem)
    assert [each["jobTitle"] for each in scene.held("ben", "Team/Inner")] == ["Brewer"]


def _is_in_use(problem: Problem | None) -> None:
    assert problem is not None
    assert (problem.reason, problem.stalled) == ("TargetInUse", True)
    assert "default/intruder" in problem.message
    assert "@" not in problem.message


@pytest.mark.parametrize("target", SPELLINGS.values(), ids=SPELLINGS)
async def test_the_second_is_refused_however_it_spells_the_target(
    scene: Scene, first: SpokeConfig, target: Callable[[Scene], MailboxTarget]
) -> None:
    await scene.settle()
    _intrude(scene, target(scene))
    await _refused(scene)


async def test_the_default_folder_by_itself_is_one_target(scene: Scene) -> None:
    scene.connect("ben", Direction.TWO_WAY)
    await scene.settle()
    _intrude(scene, MailboxTarget("BEN@contoso.example"))
    _is_in_use((await scene.sync()).spokes["spoke-intruder"].problem)


async def test_through_another_connection_to_the_same_tenant(
    scene: Scene, first: SpokeConfig
) -> None:
    await scene.settle()
    _intrude(scene, first.target, _connection("connection-2", TENANT))
    await _refused(scene)


async def test_through_a_connection_that_writes_the_tenant_in_capitals(scene: Scene) -> None:
    tenant = "fab21c00-0000-4000-8000-00000000000f"
    directory = scene.simulator.world.directory
    directory.add_tenant(Tenant(tenant, "fabrikam.example", "Fabrikam"))
    application = directory.application(CLIENT)
    assert application is not None
    application.granted[tenant] = set(application.granted[TENANT])
    directory.add_user(
        User(
            id="fab00000-0000-4000-8000-000000000001",
            tenant_id=tenant,
            user_principal_name="cy@fabrikam.example",
            display_name="cy",
            mail="cy@fabrikam.example",
            has_mailbox=True,
        )
    )
    target = MailboxTarget("cy@fabrikam.example")
    owner = _intrude(scene, target, _connection("connection-2", tenant))
    scene.spokes = {"owner": msgspec.structs.replace(owner, uid="spoke-owner", name="default/cy")}
    await scene.settle()
    _intrude(scene, target, _connection("connection-3", tenant.upper()))
    _is_in_use((await scene.sync()).spokes["spoke-intruder"].problem)


def _connection(uid: str, tenant: str) -> ConnectionConfig:
    auth = ClientSecretAuth(tenant, CLIENT, secret=SecretFile("test"))
    return ConnectionConfig(uid=uid, name=f"default/{uid}", auth=auth)


async def test_from_another_hub(scene: Scene, first: SpokeConfig) -> None:
    await scene.settle()
    other = HubConfig(uid="hub-2", name="default/others")
    spoke = msgspec.structs.replace(first, uid="spoke-intruder", name="default/intruder")
    report = await scene.worker.run_pass(other, [spoke])
    _is_in_use(report.spokes["spoke-intruder"].problem)
    await scene.settle()
    assert scene.names("ben", "Team/Inner") == ["Ann"]


async def test_in_the_first_pass_one_of_them_gets_it_whichever_is_opened_first(
    scene: Scene, first: SpokeConfig
) -> None:
    _intrude(scene, first.target)
    report = await scene.sync(2)
    problems = [report.spokes[uid].problem for uid in ("spoke-ben", "spoke-intruder")]
    assert problems.count(None) == 1
    _is_in_use(next(problem for problem in problems if problem is not None))
    assert scene.names("ben", "Team/Inner") == ["Ann"]


@pytest.mark.parametrize("way", ["erased", "retained", "pointed elsewhere"])
async def test_when_the_first_goes_the_second_comes_right_by_itself(
    scene: Scene, first: SpokeConfig, way: str
) -> None:
    await scene.settle()
    _intrude(scene, first.target)
    _is_in_use((await scene.sync()).spokes["spoke-intruder"].problem)
    if way == "erased":
        await scene.erase("ben")
    elif way == "retained":
        await scene.worker.retain_spoke(scene.hub, scene.spokes.pop("ben"))
    else:
        elsewhere = MailboxTarget(scene.mailbox("ben"), "Elsewhere")
        scene.spokes["ben"] = msgspec.structs.replace(first, target=elsewhere)
    report = await scene.sync(3)
    assert report.spokes["spoke-intruder"].problem is None
    assert scene.names("ben", "Team/Inner").count("Ann") >= 1
