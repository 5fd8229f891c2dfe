"""Jobs as the API server and the Job controller have them: made, looked at, given up, swept."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.conftest import template
from tests.jobs.kubelet import Kubelet
from tests.operator.conftest import connections_closed
from tests.operator.stage import Stage
from tests.rbac.conftest import Office, signed_in

from cirahub_operator.cli.worker import Exit
from cirahub_operator.cluster import Cluster
from cirahub_operator.jobs import Jobs
from cirahub_operator.runners.job import HUB, WRONG_OPTIONS, JobCrew, JobCrews, arguments
from cirahub_operator.settings import Workers
from cirahub_operator.worker_template import WorkerTemplate
from cirahub_sync.configuration import HubConfig
from cirahub_sync.engine.shared import Call
from cirahub_sync.errors import ConfigurationError, CrewUnavailableError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.origins import Origins
from cirahub_sync.worker import WorkerSettings

HUB_UID = "5b1f9a3e-6d2c-4c55-9d0b-3f0a1f3f7c11"
TEAM_HUB = HubConfig(uid=HUB_UID, name="team-a/staff")
CALL = Call(hub=HUB_UID, number=7, errand="read", parts={"one": [0, 1, 2], "other": [3]})
SETTINGS = WorkerSettings(
    database="postgresql://db.example/cirahub",
    key_file=None,
    installation="here",
    lease=LeaseTerms(60.0),
    origins=Origins(cluster_ranges=("10.0.0.0/8", "fd00::/8")),
)


def workers(*command: str, **settings: Any) -> Workers:
    raw = template(*(command or ("true",)))
    return Workers(template=WorkerTemplate(raw, "a test"), look=0.1, **settings)


def python(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


@pytest.fixture
async def cluster(stage: Stage) -> AsyncIterator[Cluster]:
    async with signed_in(stage.plane.kubeconfig) as made:
        yield made


@pytest.fixture
def jobs(stage: Stage, cluster: Cluster) -> Jobs:
    return Jobs(cluster, stage.namespace)


@pytest.fixture
async def kubelet(stage: Stage, cluster: Cluster) -> AsyncIterator[Kubelet]:
    async with Kubelet.serving(cluster, stage.namespace) as made:
        yield made


def crew(jobs: Jobs, hired: Workers) -> JobCrew:
    return JobCrew(TEAM_HUB, jobs, hired, arguments(SETTINGS))


async def there(jobs: Jobs) -> list[str]:
    return sorted(await jobs.states({HUB: HUB_UID}))


async def test_a_job_is_the_operator_s_whoever_the_connection_is(stage: Stage, jobs: Jobs) -> None:
    """As the API server takes it."""
    working = asyncio.create_task(crew(jobs, workers(parallelism=2)).work(CALL))
    await stage.until(lambda: len(_items(stage)) == 2)
    one, other = sorted(_items(stage), key=lambda job: -job["spec"]["completions"])
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    spec = one["spec"]
    assert one["metadata"]["namespace"] == stage.namespace
    assert one["metadata"]["annotations"][HUB] == "team-a/staff"
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 2)
    assert (other["spec"]["completions"], other["spec"]["parallelism"]) == (1, 1)
    assert spec["backoffLimitPerIndex"] == 5
    assert spec["ttlSecondsAfterFinished"] == 3600
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    (container,) = spec["template"]["spec"]["containers"]
    assert container["args"] == [
        f"--hub={HUB_UID}",
        "--pass=7",
        "--errand=read",
        "--parts=0-2",
        "--installation-id=here",
        "--hub-lease=60.0s",
        "--cluster-range=10.0.0.0/8",
        "--cluster-range=fd00::/8",
    ]
    (others,) = other["spec"]["template"]["spec"]["containers"]
    assert "--parts=3-3" in others["args"]
    assert spec["template"]["metadata"]["labels"]["worker.cirahub.io/connection"] == "one"


async def test_jobs_are_gone_when_the_shards_are_settled(
    stage: Stage, jobs: Jobs, kubelet: Kubelet
) -> None:
    """The coordinator says so by a cancellation, which is no failure."""
    hired = workers(*python("import time; time.sleep(600)"))
    working = asyncio.create_task(crew(jobs, hired).work(CALL))
    await stage.until(lambda: len(kubelet.ran) == 4)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await there(jobs) == []
    await stage.until(lambda: all(one.code is not None for one in kubelet.ran.values()))


async def test_a_crew_comes_back_when_all_of_its_jobs_have_ended(
    jobs: Jobs, kubelet: Kubelet
) -> None:
    await crew(jobs, workers("true")).work(CALL)
    assert [one.code for one in kubelet.ran.values()] == [0] * 4
    assert await there(jobs) == []


async def test_a_job_that_failed_is_named_and_kept(
    stage: Stage, jobs: Jobs, kubelet: Kubelet
) -> None:
    """With the exit code for wrong options, at one index, which is not tried again."""
    assert WRONG_OPTIONS == Exit.BAD_INPUT
    wrong = "import os, sys; sys.exit(2 if os.environ['JOB_COMPLETION_INDEX'] == '1' else 0)"
    with pytest.raises(CrewUnavailableError, match=r"failed at 1 \(.*kubectl logs -n"):
        await crew(jobs, workers(*python(wrong))).work(CALL)
    assert sorted(one.code or 0 for one in kubelet.ran.values()) == [0, 0, 0, 2]
    assert len(await there(jobs)) == 1, "the one that failed, for whoever reads logs"


async def test_workers_that_never_run_are_given_up(jobs: Jobs) -> None:
    with pytest.raises(CrewUnavailableError, match="no pod of the workers has come to run for 1 s"):
        await crew(jobs, workers(start_within=1.0)).work(CALL)
    assert await there(jobs) == []


async def test_what_a_dead_operator_left_is_deleted_at_the_next_errand(
    stage: Stage, jobs: Jobs
) -> None:
    """Of this hub; another one's are left alone."""
    for name, uid in (("left", HUB_UID), ("another-s", "another")):
        pod = WorkerTemplate(template("true"), "a test").pod([], {})
        await jobs.create(
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": name, "labels": {HUB: uid}},
                "spec": {"template": pod},
            }
        )
    working = asyncio.create_task(crew(jobs, workers()).work(CALL))
    await stage.until(lambda: len(_names(stage) - {"left", "another-s"}) == len(CALL.parts))
    assert _names(stage) & {"left", "another-s"} == {"another-s"}
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert _names(stage) == {"another-s"}


async def test_an_operator_that_may_make_no_jobs_says_so(
    stage: Stage, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.grant("operator.yaml")
    monkeypatch.setenv("KUBECONFIG", str(office.kubeconfig(tmp_path / "config")))
    crews = await JobCrews.connect(replace(workers(), namespace=office.namespace), SETTINGS)
    with pytest.raises(CrewUnavailableError, match=f"in namespace {office.namespace}: .*forbidden"):
        await crews.of(TEAM_HUB).work(CALL)
    await crews.close()
    await connections_closed()


@pytest.mark.parametrize(
    "text", ["", "- a list", "spec: {containers: [{name: other}]}", "spec: [", "spec: {}"]
)
def test_a_template_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=f"worker template {file}: "):
        WorkerTemplate.load(file)


def _names(stage: Stage) -> set[str]:
    return {one["metadata"]["name"] for one in _items(stage)}


def _items(stage: Stage) -> list[dict[str, Any]]:
    found = stage.plane.get(f"/apis/batch/v1/namespaces/{stage.namespace}/jobs")
    return list(found["items"])
