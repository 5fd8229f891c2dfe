"""Two mailboxes in a simulator that is a process of its own, and operators that reach it each by a
way of their own."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.operator.stage import Manifest, Stage, connection, hub, spoke

from cirahub_simulator.process import SimulatorProcess

from .forwarder import Forwarder

TENANT = "33333333-3333-4333-8333-333333333333"
CLIENT = "44444444-4444-4444-8444-444444444444"
SECRET = "nothing-secret"
USERS = {
    "ann": "55555555-5555-4555-8555-000000000001",
    "bob": "55555555-5555-4555-8555-000000000002",
}
GRAPH = "https://graph.microsoft.com"
_WRITES = re.compile(r'"method":\s*"(POST|PATCH|PUT|DELETE)"')


def records(people: int) -> Iterator[Mapping[str, object]]:
    yield {"kind": "tenant", "id": TENANT, "domain": "street.example", "displayName": "Street"}
    yield {
        "kind": "application",
        "clientId": CLIENT,
        "displayName": "cirahub",
        "homeTenant": TENANT,
        "secrets": [{"value": SECRET, "name": "current"}],
        "federated": [],
        "granted": {TENANT: ["Contacts.ReadWrite", "User.ReadBasic.All"]},
    }
    for name, user in USERS.items():
        yield {
            "kind": "user",
            "id": user,
            "tenant": TENANT,
            "userPrincipalName": f"{name}@street.example",
            "displayName": name,
        }
    for number in range(people):
        address = f"person{number}@street.example"
        contact = {
            "displayName": f"Person {number}",
            "emailAddresses": [{"address": address, "name": address}],
        }
        yield {"kind": "contact", "mailbox": USERS["ann"], "contact": contact}


def manifests() -> list[Manifest]:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "graph"},
        "data": {"secret": base64.b64encode(SECRET.encode()).decode()},
    }
    auth = {"clientSecret": {"clientID": CLIENT, "secretRef": {"name": "graph", "key": "secret"}}}
    return [
        secret,
        connection(microsoft365={"tenantID": TENANT}, auth=auth),
        hub(),
        spoke("ann", mailbox={"address": "ann@street.example"}),
        spoke("bob", mailbox={"address": "bob@street.example"}, direction="Receive"),
    ]


@dataclass(frozen=True)
class Sent:
    """A request as the simulator got it."""

    at: float
    """Seconds since the epoch; when it was answered."""
    port: int
    """Whose it was: see `Forwarder`."""
    writes: bool


class Street:
    def __init__(
        self, simulator: SimulatorProcess, record: Path, folder: Path, people: int
    ) -> None:
        self.simulator = simulator
        self.people = people
        self._record = record
        self._folder = folder
        self.database = folder / "cirahub" / "operator.sqlite3"

    async def held(self, name: str) -> list[str]:
        """Display names in a mailbox."""
        found = await asyncio.to_thread(self.simulator.admin.contacts, USERS[name])
        return [each["contact"]["displayName"] for each in found]

    @asynccontextmanager
    async def way(self, name: str) -> AsyncIterator[tuple[Path, int]]:
        """An endpoints file by which an operator reaches Graph on a port of its own."""
        graph = urlsplit(self.simulator.endpoints.graph)
        assert graph.hostname is not None
        assert graph.port is not None
        async with Forwarder(graph.hostname, graph.port) as forwarder:
            given = json.loads(self.simulator.endpoints_file.read_text())
            given["origins"][GRAPH] = f"{graph.scheme}://{graph.hostname}:{forwarder.port}"
            path = self._folder / f"{name}-endpoints.json"
            path.write_text(json.dumps(given))
            yield path, forwarder.port

    def open(self) -> int:
        """What the store says is not settled yet: intents, and items bob does not have."""
        if not self.database.exists():
            return self.people
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as store:
            (intents,) = store.execute(
                "select count(*) from intents where not abandoned"
            ).fetchone()
            (replicas,) = store.execute("select count(*) from replicas").fetchone()
        return int(intents + self.people - replicas)

    def sent(self, journal: list[dict[str, Any]]) -> list[Sent]:
        """Every request to Graph, from the recording; only when the simulator has ended."""
        times = {
            entry["client_request_id"]: float(entry["time"])
            for entry in journal
            if entry["service"] == "graph" and entry["batch"] is None
        }
        found = []
        for line in self._record.read_text().splitlines():
            one = json.loads(line)
            if one["batch"] is not None:
                continue
            headers = one["request_headers"]
            batched = one["path"].endswith("/$batch")
            writes = (
                bool(_WRITES.search(one["request_body"])) if batched else one["method"] != "GET"
            )
            found.append(
                Sent(
                    at=times[headers["client-request-id"]],
                    port=int(headers["host"].rpartition(":")[2]),
                    writes=writes,
                )
            )
        return found


@asynccontextmanager
async def street(
    stage: Stage, folder: Path, *, people: int, latency: float
) -> AsyncIterator[Street]:
    """Ann has `people` contacts, bob receives; every answer takes `latency` seconds."""
    record = folder / "record.jsonl"
    simulator = SimulatorProcess("--empty", "--record", str(record))
    await asyncio.to_thread(simulator.start)
    try:
        await asyncio.to_thread(simulator.admin.seed, list(records(people)))
        await asyncio.to_thread(simulator.admin.latency, latency)
        await stage.apply(*manifests())
        yield Street(simulator, record, folder, people)
    finally:
        await asyncio.to_thread(simulator.stop)
