"""Which addresses count as the cluster's inside, and what it looks like when a remote is there."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from cirahub_operator.cli.operator import command
from cirahub_operator.cluster import Cluster
from cirahub_operator.operation import Operation, inline_runner
from cirahub_operator.runners import InlineRunner
from cirahub_operator.service_ranges import service_ranges
from cirahub_operator.settings import Settings
from cirahub_sync.origins import Origins
from cirahub_sync.worker import WorkerSettings

from .conftest import QUICK, connections_closed
from .stage import CLIENT, Stage, connection


@pytest.fixture
def powerless(stage: Stage, tmp_path: Path) -> Path:
    """The kubeconfig of somebody who may do nothing."""
    stage.plane.kubectl("-n", stage.namespace, "create", "serviceaccount", "nobody")
    token = stage.plane.kubectl("-n", stage.namespace, "create", "token", "nobody").strip()
    config = yaml.safe_load(stage.plane.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path = tmp_path / "powerless"
    path.write_text(yaml.safe_dump(config))
    return path


async def test_the_ranges_of_services_are_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(stage.plane.kubeconfig))
    there = json.loads(stage.plane.kubectl("get", "servicecidrs", "-o", "json"))["items"]
    expected = [cidr for one in there for cidr in one["spec"]["cidrs"]]
    cluster = await Cluster.connect()
    assert expected
    assert sorted(await service_ranges(cluster)) == sorted(expected)
    await cluster.close()
    await connections_closed()


async def test_without_the_right_to_read_them_the_operator_goes_on_and_says_so(
    powerless: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(powerless))
    cluster = await Cluster.connect()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.20.30.40")
    with caplog.at_level(logging.WARNING):
        assert await service_ranges(cluster) == ("10.20.30.40",)
    (said,) = caplog.messages
    assert "--cluster-range" in said
    await cluster.close()
    await connections_closed()


def _settings(stage: Stage, tmp_path: Path, **more: object) -> Settings:
    return Settings(
        database=f"sqlite:///{tmp_path}/store.sqlite3",
        key_file=tmp_path / "key",
        namespaces=(stage.namespace,),
        host="127.0.0.1",
        health_port=0,
        metrics_port=0,
        timing=QUICK,
        **more,  # type: ignore[arg-type]
    )


async def _run(operation: Operation) -> asyncio.Task[None]:
    running = asyncio.create_task(operation.run())
    starting = asyncio.create_task(operation.started.wait())
    await asyncio.wait({running, starting}, return_when=asyncio.FIRST_COMPLETED)
    assert not running.done()
    return running


async def test_all_known_ranges_reach_the_engine(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(stage.plane.kubeconfig))
    handed: list[WorkerSettings] = []

    def remember(settings: WorkerSettings) -> InlineRunner:
        handed.append(settings)
        return inline_runner(settings)

    settings = _settings(
        stage,
        tmp_path,
        cluster_ranges=("10.244.0.0/16",),
        origins=Origins(cluster_ranges=("10.1.0.0/16",)),
    )
    operation = Operation(settings, make_runner=remember)
    running = await _run(operation)
    operation.stop()
    await running
    await connections_closed()
    found = set(handed[0].origins.cluster_ranges)
    assert {"10.244.0.0/16", "10.1.0.0/16"} < found
    assert len(found) > 2


async def test_a_service_that_is_inside_stalls_the_connection(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entra's name leads to the Service of the API server, say."""
    monkeypatch.setenv("KUBECONFIG", str(stage.plane.kubeconfig))
    system = socket.getaddrinfo

    def lying(host: str, *arguments: object, **options: object) -> object:
        name = "10.244.7.8" if host == "login.microsoftonline.com" else host
        return system(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    (tmp_path / "key").write_text("A" * 43 + "=")
    await stage.kubectl("create", "secret", "generic", "graph", "--from-literal=value=s3cret")
    operation = Operation(_settings(stage, tmp_path, cluster_ranges=("10.244.0.0/16",)))
    running = await _run(operation)
    try:
        reference = {"clientID": CLIENT, "secretRef": {"name": "graph", "key": "value"}}
        await stage.apply(connection(auth={"clientSecret": reference}))
        await stage.comes("connection", "contoso", "False", "AddressRefused")
        await stage.comes("connection", "contoso", "True", "AddressRefused", of="Stalled")
        conditions = (await stage.status("connection", "contoso"))["conditions"]
        (message,) = [one["message"] for one in conditions if one["type"] == "Ready"]
        assert "10.244.7.8, which is in a range of the cluster" in message
    finally:
        operation.stop()
        await running
        await connections_closed()


def test_a_range_that_is_none_is_a_wrong_option() -> None:
    done = CliRunner().invoke(command, ["--cluster-range", "10.0.0.0/99"])
    assert done.exit_code == 2
    assert "write it like 10.96.0.0/12" in done.output
