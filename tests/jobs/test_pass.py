"""A Hub with `runner: Job`, from its manifest to the copies in mailboxes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from tests.jobs.kubelet import Kubelet
from tests.operator.stage import NO_GRACE, Manifest, Stage, hub, spoke
from tests.rbac.conftest import by_account, credentials

from cirahub_operator.api.meta import REQUESTED_AT
from cirahub_operator.permissions import manifests
from cirahub_simulator.process import SimulatorProcess
from cirahub_simulator.seed.generate import CIRAHUB

ANNA, DANIEL, ELIF = (
    f"{name}@contoso.example" for name in ("anna.bergstrom", "daniel.kovacs", "elif.ozturk")
)
"""Who contribute, one to each test's Hub: a mailbox is of one Spoke."""
BJORN, CARLA = (f"{name}@contoso.example" for name in ("bjorn.eriksson", "carla.rossi"))
"""Who receive, in a folder for each test."""
RECEIVERS = {"bjorn": BJORN, "carla": CARLA}
BATCHES = r"/\$batch"


@pytest.fixture
def folder(team: Stage, simulator: SimulatorProcess) -> Iterator[str]:
    """Of the receivers; the team's account is trusted, and no fault is in force."""
    subject = f"system:serviceaccount:{team.namespace}:cirahub-sync"
    simulator.admin.trust_subject(CIRAHUB, subject)
    yield f"Company {secrets.token_hex(4)}"
    simulator.admin.clear_rules()


def staff(*, suspend: bool = False) -> Manifest:
    return hub(runner="Job", interval="168h", deletion=NO_GRACE, suspend=suspend)


def scene(source: str, folder: str) -> list[Manifest]:
    """One who contributes and two who receive, by two Connections."""
    account, _ = credentials()
    return [
        account,
        by_account("one"),
        by_account("other"),
        staff(),
        spoke("source", connectionRef={"name": "one"}, mailbox={"address": source}),
        *(
            spoke(
                name,
                connectionRef={"name": "other"},
                mailbox={"address": address, "folder": folder},
                direction="Receive",
            )
            for name, address in RECEIVERS.items()
        ),
    ]


def held(simulator: SimulatorProcess, mailbox: str, *folder: str) -> list[str]:
    """Without a folder: what its user has."""
    return sorted(
        one["contact"]["displayName"]
        for one in simulator.admin.contacts(mailbox)
        if tuple(one["folder"]) == folder
    )


def assert_whole(simulator: SimulatorProcess, source: str, folder: str) -> None:
    there = held(simulator, source)
    assert len(there) > 10
    for receiver in RECEIVERS.values():
        assert held(simulator, receiver, folder) == there


def delivering(kubelet: Kubelet) -> list[str]:
    """Pods that are at it."""
    return [
        one.name for one in kubelet.ran.values() if one.errand == "deliver" and one.code is None
    ]


def told(kubelet: Kubelet) -> str:
    return "\n".join(f"{one.name}: {one.code} {one.said}" for one in kubelet.ran.values())


async def test_a_hub_s_pass_is_done_by_jobs_of_the_operator_s(
    team: Stage, simulator: SimulatorProcess, kubelet: Kubelet, folder: str
) -> None:
    await team.apply(*scene(ANNA, folder))
    await team.comes("hub", "staff", "True", "Synced")
    await team.until(
        lambda: all(one.code is not None for one in kubelet.ran.values()), lambda: told(kubelet)
    )
    ran = list(kubelet.ran.values())
    assert all("settled" in one.said for one in ran), told(kubelet)
    assert {one.account for one in ran} == {manifests.ACCOUNT}
    assert {one.errand for one in ran} == {"read", "deliver"}
    delivers = [one for one in ran if one.errand == "deliver"]
    assert len(delivers) == 2, "an index for each receiver"
    assert len({one.labels["batch.kubernetes.io/job-name"] for one in delivers}) == 1
    assert_whole(simulator, ANNA, folder)
    assert await team.listed("batch/v1", "jobs") == [], "nothing of the workers is a team's"


async def test_a_pod_that_is_evicted_is_replaced_and_its_shard_is_gone_on_with(
    team: Stage, simulator: SimulatorProcess, kubelet: Kubelet, folder: str
) -> None:
    simulator.admin.add_rule("delay", service="graph", path=BATCHES, count=1, delay=5.0)
    await team.apply(*scene(DANIEL, folder))
    await team.until(
        lambda: any(one["fired"] for one in simulator.admin.rules()), lambda: told(kubelet)
    )
    victims = delivering(kubelet)
    for name in victims:
        kubelet.evict(kubelet.ran[name])
    await team.comes("hub", "staff", "True", "Synced")
    assert len([one for one in kubelet.ran.values() if one.errand == "deliver"]) > len(victims)
    assert_whole(simulator, DANIEL, folder)


async def test_a_hub_that_is_suspended_or_deleted_ends_its_jobs(
    team: Stage, simulator: SimulatorProcess, kubelet: Kubelet, folder: str
) -> None:
    """And goes on where it was, or erases what was delivered until then."""
    simulator.admin.add_rule("delay", service="graph", path=BATCHES, delay=5.0)
    await team.apply(*scene(ELIF, folder))
    await team.until(lambda: delivering(kubelet) != [], lambda: told(kubelet))
    await team.apply(staff(suspend=True))
    await team.comes("hub", "staff", "False", "Suspended")
    await team.until(lambda: delivering(kubelet) == [], lambda: told(kubelet))
    simulator.admin.clear_rules()
    await team.apply(staff(suspend=False))
    await team.comes("hub", "staff", "True", "Synced")
    assert_whole(simulator, ELIF, folder)

    simulator.admin.add_rule("delay", service="graph", path=BATCHES, delay=5.0)
    newcomer = {"displayName": "Nora New", "emailAddresses": [{"address": "nora@new.example"}]}
    simulator.admin.create_contact(ELIF, newcomer)
    await team.annotate("hub", "staff", f"{REQUESTED_AT}=again")
    await team.until(lambda: delivering(kubelet) != [], lambda: told(kubelet))
    await team.delete("hub", "staff")
    await team.until(lambda: delivering(kubelet) == [], lambda: told(kubelet))
    simulator.admin.clear_rules()
    await team.goes("hub", "staff")
    for receiver in RECEIVERS.values():
        assert held(simulator, receiver, folder) == []
