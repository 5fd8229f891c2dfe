"""A Hub with `runner: Job`, from its manifest to the copies in mailboxes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from tests.jobs.conftest import Hire
from tests.jobs.kubelet import Kubelet
from tests.operator.stage import Manifest, Stage, hub, spoke
from tests.rbac.conftest import Office, by_account, by_secret, credentials

from cirahub_operator.api.meta import REQUESTED_AT
from cirahub_operator.permissions import manifests
from cirahub_simulator.process import SimulatorProcess
from cirahub_simulator.seed.generate import CIRAHUB

pytestmark = pytest.mark.only_database("postgresql")

ANNA = "anna.bergstrom@contoso.example"
BJORN = "bjorn.eriksson@contoso.example"
CARLA = "carla.rossi@contoso.example"


@pytest.fixture
def folder(stage: Stage, simulator: SimulatorProcess) -> Iterator[str]:
    """Of the receivers; the team's account is trusted, and no fault is in force."""
    subject = f"system:serviceaccount:{stage.namespace}:cirahub-sync"
    simulator.admin.trust_subject(CIRAHUB, subject)
    yield f"Company {secrets.token_hex(4)}"
    simulator.admin.clear_rules()


def scene(folder: str) -> list[Manifest]:
    """One who contributes and two who receive, by two Connections."""
    return [
        *credentials(),
        by_account("one"),
        by_account("other"),
        hub(runner="Job", interval="168h"),
        spoke("anna", connectionRef={"name": "one"}, mailbox={"address": ANNA}),
        receiver("bjorn", BJORN, folder),
        receiver("carla", CARLA, folder),
    ]


def receiver(name: str, address: str, folder: str, connection: str = "other") -> Manifest:
    return spoke(
        name,
        connectionRef={"name": connection},
        mailbox={"address": address, "folder": folder},
        direction="Receive",
    )


def held(simulator: SimulatorProcess, mailbox: str, *folder: str) -> list[str]:
    """Without a folder: what its user has."""
    return sorted(
        one["contact"]["displayName"]
        for one in simulator.admin.contacts(mailbox)
        if tuple(one["folder"]) == folder
    )


async def no_jobs(stage: Stage, office: Office) -> None:
    """Wait until none is left."""
    jobs = f"/apis/batch/v1/namespaces/{office.namespace}/jobs"
    await stage.until(lambda: stage.plane.get(jobs)["items"] == [], lambda: "Jobs are left")


def told(kubelet: Kubelet) -> str:
    return "\n".join(f"{one.name}: {one.code} {one.said}" for one in kubelet.ran.values())


async def test_a_hub_s_pass_is_done_by_jobs_of_the_operator_s(
    stage: Stage, office: Office, simulator: SimulatorProcess, hire: Hire, folder: str
) -> None:
    async with hire() as (operator, kubelet):
        await operator.becomes_ready()
        await stage.apply(*scene(folder))
        await stage.comes("hub", "staff", "True", "Synced")
        await no_jobs(stage, office)
        ran = list(kubelet.ran.values())
    assert all("settled" in one.said for one in ran), told(kubelet)
    assert {one.account for one in ran} == {manifests.ACCOUNT}
    for errand in ("read", "deliver"):
        assert any(one.errand == errand for one in ran)
    delivers = [one for one in ran if one.errand == "deliver"]
    assert len(delivers) == 2, "an index for each receiver"
    assert len({one.labels["batch.kubernetes.io/job-name"] for one in delivers}) == 1
    copies = held(simulator, BJORN, folder)
    assert copies == held(simulator, ANNA)
    assert len(copies) > 10
    assert held(simulator, CARLA, folder) == copies
    jobs = stage.plane.get(f"/apis/batch/v1/namespaces/{stage.namespace}/jobs")
    assert jobs["items"] == [], "nothing of the workers is in a team's namespace"


async def test_suspending_a_hub_ends_its_jobs_and_the_next_pass_goes_on(
    stage: Stage, office: Office, simulator: SimulatorProcess, hire: Hire, folder: str
) -> None:
    async with hire() as (operator, kubelet):
        await operator.becomes_ready()
        simulator.admin.add_rule("delay", service="graph", path=r"/\$batch", delay=5.0)
        await stage.apply(*scene(folder))
        await stage.until(
            lambda: any(one.errand == "deliver" for one in kubelet.ran.values()),
            lambda: told(kubelet),
        )
        await stage.apply(hub(runner="Job", interval="168h", suspend=True))
        await stage.comes("hub", "staff", "False", "Suspended")
        await no_jobs(stage, office)
        await stage.until(
            lambda: all(one.code is not None for one in kubelet.ran.values()),
            lambda: told(kubelet),
        )
        simulator.admin.clear_rules()
        await stage.apply(hub(runner="Job", interval="168h", suspend=False))
        await stage.comes("hub", "staff", "True", "Synced")
    copies = held(simulator, BJORN, folder)
    assert copies == held(simulator, ANNA)
    assert held(simulator, CARLA, folder) == copies


async def test_a_pod_that_is_evicted_is_replaced_and_its_shard_is_gone_on_with(
    stage: Stage, simulator: SimulatorProcess, hire: Hire, folder: str
) -> None:
    async with hire() as (operator, kubelet):
        await operator.becomes_ready()
        simulator.admin.add_rule("delay", service="graph", path=r"/\$batch", count=1, delay=5.0)
        await stage.apply(*scene(folder))
        await stage.until(
            lambda: any(one["fired"] for one in simulator.admin.rules()),
            lambda: told(kubelet),
        )
        victims = [one for one in kubelet.ran.values() if one.errand == "deliver"]
        for one in victims:
            kubelet.evict(one)
        await stage.comes("hub", "staff", "True", "Synced")
        delivers = [one for one in kubelet.ran.values() if one.errand == "deliver"]
    assert len(delivers) > len(victims)
    copies = held(simulator, BJORN, folder)
    assert copies == held(simulator, ANNA)
    assert held(simulator, CARLA, folder) == copies


async def test_who_signs_in_with_a_secret_is_stalled_and_the_others_go_on(
    stage: Stage, simulator: SimulatorProcess, hire: Hire, folder: str
) -> None:
    async with hire() as (operator, _):
        await operator.becomes_ready()
        await stage.apply(by_secret(), *scene(folder))
        await stage.apply(receiver("dora", CARLA, f"{folder} too", "by-secret"))
        await stage.comes("spoke", "dora", "True", "CredentialNotShared", of="Stalled")
        await stage.comes("spoke", "carla", "True", "Synced")
        await stage.comes("hub", "staff", "False", "SpokesNotReady")
        await stage.apply(hub(runner="Inline", interval="168h"))
        await stage.annotate("hub", "staff", f"{REQUESTED_AT}=inline")
        await stage.comes("spoke", "dora", "True", "Synced")
    assert held(simulator, CARLA, f"{folder} too") == held(simulator, BJORN, folder)
