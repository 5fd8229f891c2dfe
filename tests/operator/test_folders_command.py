"""`cirahub folders` against the simulated server and tenant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from cirahub_operator.cli import cirahub
from cirahub_simulator.graph.seed import add_public_contacts, ensure_folder, public_folders_of
from cirahub_simulator.process import EmbeddedSimulator, shipped_world
from cirahub_simulator.seed.generate import ADATUM, CIRAHUB, SERVICE_PASSWORD

from .stage import Manifest

CONTOSO = "contoso.example"
TENANT = "c0117050-0000-4000-8000-000000000001"


def manifest(kind: str, name: str, **rest: Any) -> Manifest:
    version = "v1" if kind == "Secret" else "cirahub.io/v1alpha1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **rest}


SERVER = manifest(
    "Connection",
    "adatum",
    spec={
        "exchangeServer": {"host": ADATUM.host},
        "auth": {
            "basic": {
                "username": "ADATUM\\svc-cirahub",
                "secretRef": {"name": "exchange", "key": "password"},
            }
        },
    },
)
SECRET = {"clientID": CIRAHUB, "secretRef": {"name": "graph", "key": "value"}}
CLOUD = manifest(
    "Connection",
    "contoso",
    spec={"microsoft365": {"tenantID": TENANT}, "auth": {"clientSecret": SECRET}},
)
HYBRID = manifest(
    "Connection",
    "hybrid",
    spec={
        "exchangeServer": {"host": ADATUM.host, "tenantID": TENANT},
        "auth": {"clientSecret": SECRET},
    },
)


class Desk:
    """A folder with manifests, and the command."""

    def __init__(self, simulator: EmbeddedSimulator, folder: Path) -> None:
        self.simulator = simulator
        self._folder = folder
        endpoints = {
            "origins": dict(simulator.endpoints.origins),
            "ca_file": simulator.endpoints.ca_file,
        }
        (folder / "endpoints.json").write_text(json.dumps(endpoints))
        self.keep(SERVICE_PASSWORD)

    def keep(self, password: str) -> None:
        exchange = manifest("Secret", "exchange", stringData={"password": password})
        exchange["metadata"]["annotations"] = {"cirahub.io/hosts": ADATUM.host}
        graph = manifest("Secret", "graph", stringData={"value": "simulated-contoso-secret"})
        text = yaml.safe_dump_all([SERVER, CLOUD, HYBRID, exchange, graph])
        (self._folder / "manifests.yaml").write_text(text)

    def run(self, *arguments: str) -> Result:
        given = ["-f", str(self._folder / "manifests.yaml")]
        given += ["--endpoints", str(self._folder / "endpoints.json")]
        return CliRunner().invoke(cirahub, ["folders", *arguments, *given])

    def listed(self, connection: str) -> list[tuple[str, str, int | None]]:
        ran = self.run(connection, "-o", "json")
        assert ran.exit_code == 0, ran.output
        found = json.loads(ran.stdout)
        return [(one["path"], one["folder_class"], one["items"]) for one in found]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    world = shipped_world()
    with EmbeddedSimulator(world) as simulator:
        yield Desk(simulator, tmp_path)


def test_the_public_folders_of_a_server_are_listed_by_their_paths(desk: Desk) -> None:
    world = desk.simulator.world
    public = public_folders_of(world, ADATUM.id)
    ensure_folder(
        public, ["Sales", "Großkunden", "Nord"], public.distinguished["publicfoldersroot"]
    )
    people = [{"displayName": f"Péson {number}"} for number in range(3)]
    add_public_contacts(world, ADATUM.id, ["Sales", "Großkunden"], people)
    listed = desk.listed("adatum")
    assert ("Sales/Großkunden", "IPF.Contact", 3) in listed
    paths = [path for path, _, _ in listed]
    assert (
        paths.index("Sales")
        < paths.index("Sales/Großkunden")
        < paths.index("Sales/Großkunden/Nord")
    )
    assert "Company Contacts" in paths
    ran = desk.run("default/adatum")
    assert ran.exit_code == 0
    assert ran.stdout.splitlines()[0].split() == ["PATH", "CLASS", "ITEMS"]
    assert "Péson" not in ran.output


def test_many_public_folders_are_listed_page_by_page(desk: Desk) -> None:
    public = public_folders_of(desk.simulator.world, ADATUM.id)
    root = public.distinguished["publicfoldersroot"]
    for number in range(1100):
        ensure_folder(public, [f"Team {number:04}"], root)
    paths = [path for path, _, _ in desk.listed("adatum")]
    assert len(paths) == len(set(paths)) > 1100


def test_the_public_folders_of_a_tenant_are_listed_by_exchange_s_commands(desk: Desk) -> None:
    desk.simulator.admin.grant(CIRAHUB, CONTOSO, ["Exchange.ManageAsApp"])
    desk.simulator.admin.assign_directory_roles(CIRAHUB, CONTOSO, ["Exchange Administrator"])
    assert desk.run("contoso").output == "No public folders.\n"
    world = desk.simulator.world
    add_public_contacts(world, TENANT, ["Team", "Customers"], [{"displayName": "Ada"}])
    assert desk.listed("contoso") == [
        ("Team", "IPF.Contact", 0),
        ("Team/Customers", "IPF.Contact", 1),
    ]


def test_a_folder_s_name_commands_no_terminal(desk: Desk) -> None:
    desk.simulator.admin.grant(CIRAHUB, CONTOSO, ["Exchange.ManageAsApp"])
    desk.simulator.admin.assign_directory_roles(CIRAHUB, CONTOSO, ["Exchange Administrator"])
    add_public_contacts(desk.simulator.world, TENANT, ["Red\x1b[31m"], [])
    assert "Red\\x1b[31m" in desk.run("contoso").stdout


def test_who_is_not_let_in_is_told_why(desk: Desk) -> None:
    ran = desk.run("contoso")
    assert ran.exit_code == 1
    assert "Exchange.ManageAsApp" in ran.stderr
    desk.keep("wrong")
    ran = desk.run("adatum")
    assert ran.exit_code == 1
    assert "was refused by mail.adatum.example" in ran.stderr
    assert "wrong" not in ran.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nobody", "the files have no such Connection; there are default/adatum, default/contoso"),
        ("hybrid", "no public folders; name a Connection with auth.basic"),
    ],
)
def test_a_connection_that_opens_no_public_folder_is_bad_input(
    desk: Desk, name: str, told: str
) -> None:
    ran = desk.run(name)
    assert ran.exit_code == 2
    assert told in ran.stderr
