"""The command on a laptop: manifests and a real store, with a simulated tenant behind it."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from cirahub_operator.cli import cirahub
from cirahub_simulator.directory import Application, ClientSecret, Tenant, User
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.world import World
from cirahub_sync.store.opening import Store

from .stage import CLIENT, TENANT, Manifest, connection, hub, spoke

SECRET = "the-test-s-client-secret"
AUTH = {"clientSecret": {"clientID": CLIENT, "secretRef": {"name": "graph", "key": "value"}}}
PEOPLE = ("ann", "bob", "cy")


class Laptop:
    """A folder with manifests and a store, and the command."""

    def __init__(self, simulator: EmbeddedSimulator, folder: Path) -> None:
        self.simulator = simulator
        self.folder = folder
        self.namespace = "default"
        (folder / "key").write_bytes(base64.b64encode(os.urandom(32)))
        endpoints = {
            "origins": dict(simulator.endpoints.origins),
            "ca_file": simulator.endpoints.ca_file,
        }
        (folder / "endpoints.json").write_text(json.dumps(endpoints))

    def trust(self, origins: Mapping[str, str], ca_file: Path) -> None:
        """Have another server, too, where the endpoints file says."""
        file = self.folder / "endpoints.json"
        endpoints = json.loads(file.read_text())
        both = Path(endpoints["ca_file"]).read_text() + ca_file.read_text()
        (self.folder / "authorities.pem").write_text(both)
        endpoints["ca_file"] = str(self.folder / "authorities.pem")
        endpoints["origins"] |= origins
        file.write_text(json.dumps(endpoints))

    def words(self, *arguments: str, files: bool = False) -> list[str]:
        """What the command is called with."""
        store = [
            "--database",
            f"sqlite:///{self.folder}/store.sqlite3",
            "--key-file",
            str(self.folder / "key"),
            "--endpoints",
            str(self.folder / "endpoints.json"),
            "--installation-id",
            "test",
        ]
        from_files = ["-f", str(self.folder / "manifests.yaml")] if files else []
        return [*arguments, *from_files, *store]

    def run(self, *arguments: str, files: bool = False) -> Result:
        return CliRunner().invoke(cirahub, self.words(*arguments, files=files))

    def declare(self, *spokes: Manifest, **of_hub: Any) -> None:
        """These spokes, with what they need; without any, those of Ann, Bob and Cy. `of_hub` goes
        into the Hub's spec."""
        directions = zip(PEOPLE, ("Contribute", "TwoWay", "Receive"), strict=True)
        chosen = spokes or [spoke(name, direction=direction) for name, direction in directions]
        manifests = [
            connection(auth=AUTH),
            hub(**of_hub),
            *chosen,
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "graph"},
                "stringData": {"value": SECRET},
            },
        ]
        for manifest in manifests:
            manifest["metadata"]["namespace"] = self.namespace
        (self.folder / "manifests.yaml").write_text(yaml.safe_dump_all(manifests))

    def sync(self) -> None:
        for _ in range(2):
            ran = self.run("pass", "-q", files=True)
            assert ran.exit_code == 0, ran.output

    def add(self, name: str, display_name: str, **fields: object) -> None:
        self.simulator.admin.create_contact(
            f"{name}@contoso.com",
            {
                "displayName": display_name,
                "emailAddresses": [{"address": f"{display_name}@x.org"}],
                **fields,
            },
        )

    def names(self, name: str) -> list[str]:
        entries = self.simulator.admin.contacts(f"{name}@contoso.com")
        return sorted(entry["contact"]["displayName"] for entry in entries)

    def store(self) -> Store:
        return Store.open(f"sqlite:///{self.folder}/store.sqlite3", self.folder / "key", time.time)

    def wait(self, job: str, seconds: float) -> None:
        """Have the grace period of a job end in so many seconds."""
        store = self.store()
        with store.database.write() as connection:
            connection.exec_driver_sql(
                "UPDATE erasures SET erase_at = ?, started_at = NULL, finished_at = NULL"
                " WHERE job = ?",
                (time.time() + seconds, job),
            )
        store.close()


@contextmanager
def opened(folder: Path) -> Iterator[Laptop]:
    """With mailboxes of Ann, Bob and Cy."""
    world = World()
    world.directory.add_tenant(Tenant(TENANT, "contoso.com", "Contoso"))
    world.directory.add_application(
        Application(
            client_id=CLIENT,
            display_name="cirahub",
            home_tenant_id=TENANT,
            secrets=[ClientSecret(SECRET, datetime(2100, 1, 1, tzinfo=UTC))],
            granted={TENANT: {"Contacts.ReadWrite", "Calendars.ReadWrite", "User.ReadBasic.All"}},
        )
    )
    for number, name in enumerate(PEOPLE):
        world.directory.add_user(
            User(
                id=f"00000000-0000-4000-8000-{number:012d}",
                tenant_id=TENANT,
                user_principal_name=f"{name}@contoso.com",
                display_name=name,
                mail=f"{name}@contoso.com",
                has_mailbox=True,
            )
        )
    with EmbeddedSimulator(world) as simulator:
        yield Laptop(simulator, folder)
