"""Filters on groups: who is in them, who comes and goes, and groups that can't be read."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from cirahub_simulator.directory import Application, ClientSecret, Group
from cirahub_sync.configuration import (
    ClientSecretAuth,
    Condition,
    Direction,
    Filter,
    Flow,
    Operator,
    SecretFile,
)
from cirahub_sync.engine.report import PassReport, SpokeReport
from cirahub_sync.store.rows import UNKNOWN_FINGERPRINT

from .conftest import CLIENT, SECRET, TENANT, Scene
from .page import connect_as_documented

TEAM = "d0000000-0000-4000-8000-000000000001"
DESK = "d0000000-0000-4000-8000-000000000002"
ROLES = ("Contacts.ReadWrite", "User.ReadBasic.All", "GroupMember.Read.All")
RECEIVE = Direction.RECEIVE
AN_HOUR = 3700.0


def in_group(*groups: str, operator: Operator = Operator.IN) -> Flow:
    return Flow(filter=Filter(all=(Condition("group", operator, groups or (TEAM,)),)))


def person(name: str) -> dict[str, str]:
    return {"displayName": name.title(), "email": f"{name}@contoso.example"}


@pytest.fixture
def directory(scene: Scene) -> Scene:
    """Ann is in the team, Bob through its desk; Cy in neither."""
    for name in ("ann", "bob", "cy"):
        scene.mailbox(name)
    add = scene.simulator.world.directory.add_group
    for group, name in ((TEAM, "team"), (DESK, "desk")):
        mail = f"{name}@contoso.example"
        add(Group(id=group, tenant_id=TENANT, display_name=name, mail=mail))
    scene.admin.set_members(DESK, ["bob@contoso.example"])
    scene.admin.set_members(TEAM, ["ann@contoso.example", DESK])
    scene.admin.grant(CLIENT, TENANT, ROLES)
    scene.connect("ada")
    for name in ("ann", "bob", "cy"):
        scene.add("ada", **person(name))
    return scene


def spoke(report: PassReport, name: str) -> SpokeReport:
    return report.spokes[f"spoke-{name}"]


def group_requests(scene: Scene) -> list[str]:
    return [one["path"] for one in scene.requests() if "/groups" in one["path"]]


async def test_members_of_a_group_pass_those_of_nested_groups_too(directory: Scene) -> None:
    connect_as_documented(directory, "ben", "Members of a group")
    directory.connect("cat", RECEIVE, receives=in_group("DESK@contoso.example"))
    directory.connect("dan", RECEIVE, receives=in_group(operator=Operator.NOT_IN))
    report = await directory.settle()
    assert directory.names("ben") == ["Ann", "Bob"]
    assert directory.names("cat") == ["Bob"]
    assert directory.names("dan") == ["Cy"]
    assert spoke(report, "ben").pending == {}


async def test_a_contributor_s_filter_asks_for_groups_too(directory: Scene) -> None:
    directory.connect("ada", contributes=in_group())
    directory.connect("ben", RECEIVE)
    await directory.settle()
    assert directory.names("ben") == ["Ann", "Bob"]


async def test_any_address_of_a_contact_may_be_a_member_s(directory: Scene) -> None:
    user = directory.simulator.world.directory.find_user("ann@contoso.example")
    assert user is not None
    user.proxy_addresses = ["smtp:ann.alias@contoso.example", "X500:/o=x"]
    directory.add("ada", displayName="Alias", emails=["a@b.example", "ANN.alias@contoso.example"])
    directory.admin.grant(CLIENT, TENANT, [*ROLES, "User.Read.All"])
    directory.connect("ben", RECEIVE, receives=in_group())
    await directory.settle()
    assert directory.names("ben") == ["Alias", "Ann", "Bob"]


async def test_who_joins_a_group_comes_and_who_leaves_it_goes_after_the_grace(
    directory: Scene,
) -> None:
    directory.connect("ben", RECEIVE, receives=in_group())
    await directory.settle()
    directory.admin.set_members(DESK, ["cy@contoso.example"])
    directory.forget()
    await directory.settle()
    assert (group_requests(directory), directory.writes()) == ([], []), "not before its interval"
    directory.advance(1000)
    await directory.sync()
    assert directory.names("ben") == ["Ann", "Bob", "Cy"]
    (created,) = directory.writes()
    assert created["method"] == "POST"
    directory.advance(AN_HOUR)
    report = await directory.settle()
    assert directory.names("ben") == ["Ann", "Cy"]
    assert spoke(report, "ben").pending == {}


async def test_who_joins_a_group_is_contributed_and_who_leaves_it_no_more(
    directory: Scene,
) -> None:
    directory.connect("ada", contributes=in_group())
    directory.connect("ben", RECEIVE)
    await directory.settle()
    directory.admin.set_members(DESK, ["cy@contoso.example"])
    directory.advance(1000)
    await directory.settle()
    assert directory.names("ben") == ["Ann", "Bob", "Cy"]
    directory.advance(AN_HOUR)
    await directory.settle()
    assert directory.names("ben") == ["Ann", "Cy"]


async def test_a_group_is_read_once_for_all_who_ask_and_not_before_its_interval(
    directory: Scene,
) -> None:
    for name in ("ben", "cat", "dan"):
        directory.connect(name, RECEIVE, receives=in_group())
    directory.forget()
    await directory.sync()
    assert len(group_requests(directory)) == 2
    directory.forget()
    await directory.sync(3)
    assert group_requests(directory) == []
    directory.advance(1000)
    await directory.sync()
    assert len(group_requests(directory)) == 2


async def test_only_those_are_judged_again_whose_addresses_are_concerned(
    directory: Scene,
) -> None:
    directory.connect("ben", RECEIVE, receives=in_group())
    directory.admin.set_members(DESK, [])
    await directory.settle()
    _forget_what_was_delivered(directory, "spoke-ben")
    directory.admin.set_members(DESK, ["cy@contoso.example"])
    directory.advance(1000)
    directory.forget()
    await directory.sync()
    assert directory.names("ben") == ["Ann", "Cy"]
    (created,) = directory.writes()
    assert created["method"] == "POST", "Ann's copy would be put right if it were looked at"


def _forget_what_was_delivered(scene: Scene, uid: str) -> None:
    store = scene.worker._store.hub(scene.hub.uid)
    store.acquire()
    with store.write() as tx:
        replicas = tx.replicas.copies(uid, "", 9)
        tx.replicas.put(
            [msgspec.structs.replace(one, fingerprint=UNKNOWN_FINGERPRINT) for one in replicas]
        )
    store.release()


@pytest.mark.parametrize("how", ["gone", "refused", "blind", "hidden", "unwell"])
async def test_nobody_comes_or_goes_because_a_group_cannot_be_read(
    directory: Scene, how: str
) -> None:
    directory.connect("ben", RECEIVE, receives=in_group())
    directory.connect("dan", RECEIVE, receives=in_group(operator=Operator.NOT_IN))
    directory.connect("eve", RECEIVE)
    await directory.settle()
    reason, world = "AccessDenied", directory.simulator.world
    if how == "gone":
        directory.admin.remove_group(TEAM)
        reason = "GroupNotFound"
    elif how == "refused":
        directory.admin.grant(CLIENT, TENANT, ROLES[:2])
    elif how == "blind":
        directory.admin.grant(CLIENT, TENANT, (ROLES[0], ROLES[2]))
    elif how == "hidden":
        desk = world.directory.find_group(DESK)
        assert desk is not None
        desk.visibility = "HiddenMembership"
    else:
        directory.admin.add_rule("status", status=400, path="/transitiveMembers", service="graph")
        reason = "ProtocolError"
    await directory.restart()
    directory.advance(AN_HOUR)
    directory.add("ada", displayName="Fay", email="fay@contoso.example")
    report = await directory.sync(2)
    for name in ("ben", "dan"):
        problem = spoke(report, name).problem
        assert problem is not None
        assert problem.reason == reason
        assert "who is in it counts as at " in problem.message
    assert spoke(report, "eve").problem is None
    directory.advance(AN_HOUR)
    await directory.sync(2)
    assert directory.names("ben") == ["Ann", "Bob"]
    assert directory.names("dan") == ["Cy", "Fay"], "the rest goes on"
    assert directory.names("eve") == ["Ann", "Bob", "Cy", "Fay"]


async def test_before_its_group_was_read_nothing_is_synced_with_a_spoke(
    directory: Scene,
) -> None:
    directory.admin.grant(CLIENT, TENANT, ROLES[:2])
    directory.connect("ada", contributes=in_group(operator=Operator.NOT_IN))
    directory.connect("cat")
    directory.add("cat", displayName="Gil", email="gil@contoso.example")
    directory.connect("ben", RECEIVE)
    report = await directory.sync(2)
    problem = spoke(report, "ada").problem
    assert problem is not None
    assert (problem.reason, problem.stalled, problem.access) == ("AccessDenied", True, True)
    assert "the role GroupMember.Read.All in this tenant; until it has been" in problem.message
    assert directory.names("ben") == ["Gil"]
    directory.admin.grant(CLIENT, TENANT, ROLES)
    await directory.settle()
    assert directory.names("ben") == ["Cy", "Gil"]


async def test_a_spoke_that_was_away_while_its_group_changed_catches_up(
    directory: Scene,
) -> None:
    ben = directory.connect("ben", RECEIVE, receives=in_group())
    directory.connect("dan", RECEIVE, receives=in_group())
    await directory.settle()
    del directory.spokes["ben"]
    directory.admin.set_members(DESK, ["cy@contoso.example"])
    directory.advance(1000)
    await directory.sync(2, absent=1)
    directory.spokes["ben"] = ben
    await directory.settle()
    assert directory.names("ben") == ["Ann", "Bob", "Cy"]


async def test_what_no_filter_names_any_more_is_not_kept(directory: Scene) -> None:
    directory.connect("ben", RECEIVE, receives=in_group())
    await directory.settle()
    store = directory.worker._store.hub("hub-1")
    with store.read() as tx:
        (key,) = tx.groups.keys()
        members = tx.groups.get([key])[key].members
    assert len(members) == 2
    assert all(len(one) == 16 for one in members), "digests, and no addresses"
    directory.connect("ben", RECEIVE)
    await directory.settle()
    with store.read() as tx:
        assert tx.groups.keys() == set()
    assert directory.names("ben") == ["Ann", "Bob", "Cy"]


async def test_a_lost_store_reads_the_group_and_moves_nobody(directory: Scene) -> None:
    directory.connect("ben", RECEIVE, receives=in_group())
    await directory.settle()
    await directory.lose_store()
    directory.forget()
    await directory.settle()
    assert directory.names("ben") == ["Ann", "Bob"]
    assert directory.writes() == []


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        (in_group("Sales"), "named by its object id or by its e-mail address"),
        (in_group(operator=Operator.EXISTS), "group takes In and NotIn"),
    ],
)
async def test_a_condition_on_groups_that_means_nothing_is_refused(
    directory: Scene, flow: Flow, says: str
) -> None:
    directory.connect("ben", RECEIVE, receives=flow)
    problem = spoke(await directory.sync(), "ben").problem
    assert problem is not None
    assert says in problem.message


async def test_a_condition_on_groups_cannot_ask_for_addresses_that_never_sync(
    directory: Scene,
) -> None:
    directory.connect("ada", contributes=in_group(), never_sync=("emails",))
    problem = spoke(await directory.sync(), "ada").problem
    assert problem is not None
    assert "asks for emails" in problem.message


async def test_the_group_that_decided_is_told(directory: Scene) -> None:
    directory.connect("ben", RECEIVE, receives=in_group(DESK, "team@contoso.example"))
    await directory.settle()
    answer = await directory.worker.explain("bob@contoso.example", spokes=["ben"])
    (told,) = answer.found[0].spokes
    assert told.filter is not None
    assert (told.filter.admits, told.filter.decided_by) == (True, "")
    only = Flow(filter=Filter(any=(Condition("group", Operator.IN, (DESK, TEAM)),)))
    directory.connect("ben", RECEIVE, receives=only)
    await directory.settle()
    answer = await directory.worker.explain("bob@contoso.example", spokes=["ben"])
    (told,) = answer.found[0].spokes
    assert told.filter is not None
    assert told.filter.decided_by == "any"
    assert told.filter.groups == (f"group {DESK}", f"group {TEAM}")
    (told,) = (await directory.worker.explain("cy@contoso.example")).found[0].spokes[1:]
    assert told.why == "FilteredOut"


async def test_what_one_connection_may_read_nobody_learns_through_another(
    directory: Scene,
) -> None:
    other = "33333333-2222-4222-8222-222222222222"
    directory.simulator.world.directory.add_application(
        Application(
            client_id=other,
            display_name="poor",
            home_tenant_id=TENANT,
            secrets=[ClientSecret(SECRET, datetime(2100, 1, 1, tzinfo=UTC))],
            granted={TENANT: set(ROLES[:2])},
        )
    )
    poor = msgspec.structs.replace(
        directory.connection,
        uid="connection-2",
        name="other/contoso",
        auth=ClientSecretAuth(TENANT, other, secret=SecretFile("test")),
    )
    directory.connect("ben", RECEIVE, receives=in_group())
    made = directory.connect("dan", RECEIVE, receives=in_group())
    directory.spokes["dan"] = msgspec.structs.replace(made, connection=poor)
    report = await directory.sync(2)
    assert spoke(report, "ben").problem is None
    assert directory.names("ben") == ["Ann", "Bob"]
    problem = spoke(report, "dan").problem
    assert problem is not None
    assert problem.reason == "AccessDenied"
    assert directory.names("dan") == []


async def test_a_group_may_be_another_connection_s(directory: Scene) -> None:
    named = msgspec.structs.replace(
        directory.connection, uid="connection-2", name="default/directory"
    )
    condition = Condition("group", Operator.IN, (TEAM,), connection="default/directory")
    flow = Flow(filter=Filter(all=(condition,)))
    directory.connect("ben", RECEIVE, receives=flow, directories=(named,))
    directory.connect("dan", RECEIVE, receives=flow)
    report = await directory.sync(2)
    assert directory.names("ben") == ["Ann", "Bob"]
    problem = spoke(report, "dan").problem
    assert problem is not None
    assert problem.reason == "InvalidConfiguration"
