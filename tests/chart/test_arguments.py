"""What the chart starts is what `cirahub operator` takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from sqlalchemy import make_url

from cirahub_operator.cli.operator import command
from cirahub_operator.cli.worker import command as worker
from cirahub_operator.permissions.review import asked_for
from cirahub_operator.runners.job import arguments as told
from cirahub_operator.settings import Election, Settings
from cirahub_operator.worker_template import WorkerTemplate
from cirahub_sync.origins import Origins
from cirahub_sync.store.postgresql import PostgreSQL
from cirahub_sync.worker import WorkerSettings

from .page import VALUES
from .rendering import SETS, TEAM, WITH_WORKERS, Rendered

Of = Callable[[str], Rendered]

FROM_ENVIRONMENT = {"CIRAHUB_DATABASE": "postgresql://cirahub:s3cret@db.example/cirahub"}
"""What a Secret of the sets would have."""
RANGES = ("10.0.0.0/8", "fd00::/8")
NOT_OF_A_CLUSTER = {"kubeconfig", "dev"}
"""Options for a laptop."""


def parsed(found: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """By parameter. The endpoints file is read by the command, so it is put somewhere. Raises
    click.UsageError."""
    arguments = list(found.arguments)
    endpoints = [one for one in found.of("ConfigMap") if "endpoints.json" in one["data"]]
    for one in endpoints:
        file = tmp_path / "endpoints.json"
        file.write_text(one["data"]["endpoints.json"])
        inside = "--endpoints=/etc/cirahub/endpoints/endpoints.json"
        arguments[arguments.index(inside)] = f"--endpoints={file}"
    if any(one.startswith("--worker-template=") for one in arguments):
        file = tmp_path / "template.yaml"
        file.write_text(yaml.safe_dump(found.worker))
        inside = "--worker-template=/etc/cirahub/worker/template.yaml"
        arguments[arguments.index(inside)] = f"--worker-template={file}"
    for variable in found.container.get("env", ()):
        value = variable.get("value") or FROM_ENVIRONMENT[variable["name"]]
        monkeypatch.setenv(variable["name"], value)
    return dict(command.make_context("operator", arguments).params)


@pytest.mark.parametrize("name", SETS)
def test_the_command_takes_the_arguments_of_each_set(
    rendered: Of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found = rendered(name)
    assert found.container["command"] == ["cirahub", "operator"]

    given = parsed(found, tmp_path, monkeypatch)

    assert given["namespaces"] == tuple(SETS[name].get("namespaces", ()))
    mounts = {one["name"]: one["mountPath"] for one in found.container["volumeMounts"]}
    assert given["key_file"].parent == Path(mounts["key"])
    if "store" in mounts:
        assert given["database"] == f"sqlite:///{mounts['store']}/store.sqlite3"
    else:
        url = SETS[name]["database"].get("url", FROM_ENVIRONMENT["CIRAHUB_DATABASE"])
        assert given["database"].startswith(url)
        PostgreSQL.connect(make_url(given["database"]), token=str).engine.dispose()
    ports = {one["name"]: one["containerPort"] for one in found.container["ports"]}
    assert (given["health_port"], given["metrics_port"]) == (ports["health"], ports["metrics"])


@pytest.mark.parametrize("name", WITH_WORKERS)
def test_a_worker_takes_the_arguments_of_its_template_and_those_of_its_job(
    rendered: Of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found = rendered(name)
    operator = parsed(found, tmp_path, monkeypatch)
    made = WorkerTemplate(found.worker, "the chart").pod([], {})
    (container,) = made["spec"]["containers"]
    arguments = [
        f"--endpoints={operator['endpoints']}" if one.startswith("--endpoints=") else one
        for one in container["args"]
    ]
    settings = WorkerSettings(
        database="", key_file=None, installation="contoso-1", origins=Origins(cluster_ranges=RANGES)
    )
    of_job = ["--hub=uid", "--pass=1", "--errand=read", "--parts=0-7", "--index=3"]

    given = worker.make_context("worker", [*arguments, *of_job, *told(settings)]).params

    assert container["command"] == ["cirahub", "worker"]
    assert given["cluster_ranges"] == RANGES
    same = ("database", "key_file", "endpoints", "log_format", "debug")
    assert {one: given[one] for one in same} == {one: operator[one] for one in same}


def test_each_option_of_the_command_can_be_set(rendered: Of) -> None:
    told = {argument.partition("=")[0] for name in SETS for argument in rendered(name).arguments}
    options = {
        option.name: set(option.opts)
        for option in command.params
        if isinstance(option, click.Option)
    }
    assert {name for name, forms in options.items() if not forms & told} == NOT_OF_A_CLUSTER


def test_what_is_not_set_is_as_the_command_has_it(
    rendered: Of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = parsed(rendered("as it comes"), tmp_path, monkeypatch)
    bare = command.make_context("operator", []).params
    differing = {name for name in bare if bare[name] != ours[name]}
    assert differing == {"key_file", "lease_namespace"}


def test_a_name_of_a_file_or_an_account_is_said_as_it_is(
    rendered: Of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = parsed(rendered("everything"), tmp_path, monkeypatch)
    (identity,) = given["own_identity"]
    assert identity.namespace == TEAM
    assert identity.vaults == frozenset({"a.vault.azure.net"})
    assert given["key_file"] == Path("/etc/cirahub/key/store.key")
    assert given["installation_id"] == "contoso-1"
    assert given["cluster_ranges"] == ("10.0.0.0/8", "fd00::/8")
    assert given["debug"] is True
    assert given["leader_election"] is False, "of two that contradict each other, the last counts"


def test_the_operator_misses_none_of_the_rules_that_it_is_granted(rendered: Of) -> None:
    """It asks for its Lease by the name that the role has."""
    name = rendered("everything").one("Deployment")["metadata"]["name"]
    settings = Settings(
        database="sqlite://", key_file=Path("key"), election=Election(namespace="x", name=name)
    )
    (lease,) = (rule for rule in asked_for(settings) if rule.key == "lease")
    granted = next(
        role
        for role in rendered("everything").of("Role")
        if role["metadata"]["name"].endswith("-lease")
    )
    assert list(lease.names) == granted["rules"][0]["resourceNames"]


def test_the_grace_of_a_pod_is_longer_than_a_shutdown() -> None:
    """tests/chart/test_release.py has a real one end in it."""
    values = yaml.safe_load(VALUES.read_text())
    drain = Settings(database="sqlite://", key_file=Path("key")).timing.drain
    assert values["terminationGracePeriodSeconds"] >= 5 * drain
