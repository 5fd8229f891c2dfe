"""Thousands of Spokes: this operator beside a Kopf operator that does nothing, on the same objects.

Both are processes of their own on one real API server (`hack/cluster`), one after the other in one
run, with Kopf set up alike. Ours syncs: its engine, its store and the simulator as Microsoft 365,
with a mailbox and a contact for each Spoke. Lag is measured inside the operator
(`cirahub_event_loop_lag_seconds`); API writes are counted in the audit log. The figures that were
measured stand in docs/benchmarks.md.

    PYTHONPATH=hack python benchmarks/spokes.py [--spokes 10,1000,5000] [--hubs N]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp

from cirahub_simulator.process import SimulatorProcess
from cluster.binaries import Binaries
from cluster.controlplane import ControlPlane
from cluster.watchdog import Watchdog
from figures import Figures, options

ROOT = Path(__file__).resolve().parent.parent
NAMESPACE = "bench"
TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
SECRET = "benchmark"
KINDS = ("connections", "hubs", "spokes")
INTERVAL = 60
IDLE = 60.0
SETTLE = 10.0
WITHIN = 900.0
POLL = 0.25
AUDIT = "audit.jsonl"
WRITES = frozenset({"create", "update", "patch", "delete"})
SLOW = 0.1


class Api:
    """The API server, as its administrator."""

    def __init__(self, plane: ControlPlane, session: aiohttp.ClientSession) -> None:
        self._url = f"{plane.url}/apis/cirahub.io/v1alpha1/namespaces/{NAMESPACE}"
        self._session = session

    @classmethod
    @asynccontextmanager
    async def of(cls, plane: ControlPlane) -> AsyncIterator[Api]:
        trust = ssl.create_default_context(cafile=str(plane.ca_file))
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {plane.token}"},
            connector=aiohttp.TCPConnector(ssl=trust, limit=32),
        ) as session:
            yield cls(plane, session)

    async def create(self, kind: str, name: str, spec: object) -> None:
        body = {
            "apiVersion": "cirahub.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": spec,
        }
        async with self._session.post(f"{self._url}/{kind.lower()}s", json=body) as answer:
            if answer.status != 201:
                raise SystemExit(await answer.text())

    async def hubs(self) -> list[dict[str, Any]]:
        async with self._session.get(f"{self._url}/hubs") as answer:
            items: list[dict[str, Any]] = (await answer.json())["items"]
            return items


async def populate(plane: ControlPlane, *, spokes: int, hubs: int) -> None:
    plane.kubectl("apply", "--server-side", "-f", ROOT / "crds")
    plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
    plane.kubectl("create", "namespace", NAMESPACE)
    plane.kubectl(
        "-n", NAMESPACE, "create", "secret", "generic", "graph", f"--from-literal=key={SECRET}"
    )
    async with Api.of(plane) as api:
        reference = {"clientID": CLIENT, "secretRef": {"name": "graph", "key": "key"}}
        await api.create(
            "Connection",
            "contoso",
            {"microsoft365": {"tenantID": TENANT}, "auth": {"clientSecret": reference}},
        )
        for number in range(hubs):
            await api.create("Hub", f"hub-{number}", {"interval": f"{INTERVAL}s"})
        await asyncio.gather(
            *(
                api.create(
                    "Spoke",
                    f"spoke-{number}",
                    {
                        "hubRef": {"name": f"hub-{number % hubs}"},
                        "connectionRef": {"name": "contoso"},
                        "mailbox": {"address": f"user{number}@contoso.example"},
                    },
                )
                for number in range(spokes)
            )
        )


def people(spokes: int) -> Iterator[dict[str, object]]:
    """What the simulator is seeded with: a mailbox and a contact in it for each Spoke."""
    yield {"kind": "tenant", "id": TENANT, "domain": "contoso.example", "displayName": "Contoso"}
    yield {
        "kind": "application",
        "clientId": CLIENT,
        "displayName": "cirahub",
        "homeTenant": TENANT,
        "secrets": [{"value": SECRET, "name": "current"}],
        "granted": {TENANT: ["Contacts.ReadWrite", "User.Read.All"]},
    }
    for number in range(spokes):
        user = str(uuid.uuid5(uuid.NAMESPACE_OID, f"user{number}"))
        yield {
            "kind": "user",
            "id": user,
            "tenant": TENANT,
            "userPrincipalName": f"user{number}@contoso.example",
            "displayName": f"User {number}",
        }
        address = f"person{number}@fabrikam.example"
        contact = {
            "displayName": f"Person {number}",
            "givenName": "Person",
            "surname": str(number),
            "emailAddresses": [{"address": address, "name": f"Person {number}"}],
        }
        yield {"kind": "contact", "mailbox": user, "contact": contact}


def memory(pid: int) -> tuple[float, float]:
    """Resident now and at most, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", text))
    return int(found["VmRSS"]) / 1024, int(found["VmHWM"]) / 1024


async def until(holds: Callable[[], Any], what: str) -> float:
    """Seconds that it took."""
    began = time.monotonic()
    while True:
        answer = holds()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return time.monotonic() - began
        if time.monotonic() - began > WITHIN:
            raise SystemExit(f"waited in vain for {what}")
        await asyncio.sleep(POLL)


# A Kopf operator that does nothing


def do_nothing(plane_kubeconfig: str, expected: int) -> None:
    """In a process of its own: watch, and count on stdout."""
    os.environ["KUBECONFIG"] = plane_kubeconfig
    import kopf

    from cirahub_operator.handlers import lifecycle

    registry = kopf.OperatorRegistry()
    seen: set[str] = set()

    async def event(event: kopf.RawEvent, **_: object) -> None:
        seen.add(event["object"]["metadata"]["uid"])
        if len(seen) == expected:
            print("all", flush=True)

    for kind in KINDS:
        kopf.on.event("cirahub.io", "v1alpha1", kind, registry=registry)(event)

    async def nothing() -> None:
        return

    lifecycle.register(registry, nothing)
    asyncio.run(
        kopf.operator(
            registry=registry,
            settings=lifecycle.settings(),
            standalone=True,
            namespaces=[NAMESPACE],
        )
    )


async def measure_nothing(plane: ControlPlane, expected: int) -> tuple[float, float, float]:
    """RSS, its peak, and seconds until all objects were seen."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--nothing",
        str(plane.kubeconfig),
        "--expected",
        str(expected),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        while (await process.stdout.readline()).strip() != b"all":
            if process.returncode is not None:
                raise SystemExit("the operator that does nothing has ended")
        seconds = time.monotonic() - began
        await asyncio.sleep(SETTLE)
        return *memory(process.pid), seconds
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


# Ours


class Operator:
    """`with Operator(...)`: the command in a process of its own; `folder` keeps store and key."""

    def __init__(self, kubeconfig: Path, endpoints: Path, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        self._log = folder / "log"
        key = folder / "key"
        if not key.exists():
            key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        self._command = [
            sys.executable,
            "-c",
            "from cirahub_operator.cli import main; main()",
            "operator",
            f"--kubeconfig={kubeconfig}",
            f"--endpoints={endpoints}",
            f"--database=sqlite:///{folder / 'store.sqlite3'}",
            f"--key-file={key}",
            f"--namespace={NAMESPACE}",
            "--listen=127.0.0.1",
            f"--health-port={port}",
            f"--metrics-port={port}",
            "--no-leader-election",
        ]

    def __enter__(self) -> Self:
        self._watchdog = Watchdog(None)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, start_new_session=True
            )
        self.pid = self._process.pid
        self._watchdog.add(self.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        self._watchdog.discard(self.pid)
        self._watchdog.close()

    def ready(self) -> bool:
        if self._process.poll() is not None:
            raise SystemExit(f"the operator has ended: {self._log.read_text()[-2000:]}")
        try:
            return bool(self._get("/readyz"))
        except (urllib.error.URLError, OSError):
            return False

    def metrics(self) -> str:
        return self._get("/metrics").decode()

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self._url + path, timeout=60) as response:
            return bytes(response.read())


class Lag:
    """Of the event loop, between two scrapes."""

    def __init__(self, service: Operator) -> None:
        self._service = service
        self._before = self._read()

    def tell(self, found: Figures, when: str) -> None:
        buckets = self._read()
        counts = [
            (bound, count - before)
            for (bound, count), (_, before) in zip(buckets, self._before, strict=True)
        ]
        total = counts[-1][1]
        p99 = next(bound for bound, count in counts if count >= 0.99 * total)
        longest = next(bound for bound, count in counts if count == total)
        found.one(f"{when}: lag p99 below, ms", p99 * 1000)
        found.one(f"{when}: lag at most, ms", longest * 1000)
        found.one(f"{when}: beats", total)
        found.one(f"{when}: beats later than {SLOW * 1000:.0f} ms", total - dict(counts)[SLOW])

    def _read(self) -> list[tuple[float, float]]:
        pattern = r'^cirahub_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$'
        found = re.findall(pattern, self._service.metrics(), re.MULTILINE)
        return [(float(bound), float(count)) for bound, count in found]


async def all_synced(api: Api, spokes: int, since: str) -> bool:
    hubs = await api.hubs()
    return all(
        one.get("status", {}).get("lastSyncTime", "") > since for one in hubs
    ) and spokes == sum(one["status"]["spokes"]["ready"] for one in hubs)


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def writes(audit: Path, since: str, until: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in audit.read_text().splitlines():
        entry = json.loads(line)
        about = entry.get("objectRef", {})
        if (
            entry["stage"] == "ResponseComplete"
            and entry["verb"] in WRITES
            and about.get("namespace") == NAMESPACE
            and since <= entry["stageTimestamp"] < until
        ):
            what = "/".join(filter(None, (about["resource"], about.get("subresource"))))
            found[f"{entry['verb']} {what}"] = found.get(f"{entry['verb']} {what}", 0) + 1
    return found


async def measure_ours(
    plane: ControlPlane, endpoints: Path, scratch: Path, found: Figures, *, spokes: int, kopf: float
) -> None:
    folder = scratch / "operator"
    folder.mkdir()
    name = f"{spokes:,}"
    async with Api.of(plane) as api:
        with Operator(plane.kubeconfig, endpoints, folder) as ours:
            ready = await until(ours.ready, "the operator")
            lag = Lag(ours)
            seconds = await until(lambda: all_synced(api, spokes, ""), "all statuses")
            found.one(f"{name}: from the start to all statuses, s", ready + seconds)
            lag.tell(found, f"{name}: first sync")
            settled, peak = memory(ours.pid)
            found.one(f"{name}: RSS after the first sync, MB", settled)
            found.one(f"{name}: RSS during it at most, MB", peak)
        began = now()
        with Operator(plane.kubeconfig, endpoints, folder) as ours:
            ready = await until(ours.ready, "the operator")
            lag = Lag(ours)
            seconds = await until(lambda: all_synced(api, spokes, began), "a pass after restart")
            found.one(f"{name}: from a restart to the end of a pass, s", ready + seconds)
            lag.tell(found, f"{name}: a pass, unchanged")
            await asyncio.sleep(SETTLE)
            idle = Lag(ours)
            since = now()
            await asyncio.sleep(IDLE)
            idle.tell(found, f"{name}: idle minute")
            written = writes(scratch / AUDIT, since, now())
            print(f"  written in that minute: {written or 'nothing'}")
            passes = max(1.0, IDLE / INTERVAL) * len(await api.hubs())
            found.one(f"{name}: API writes an idle pass", sum(written.values()) / passes)
            settled, peak = memory(ours.pid)
            found.one(f"{name}: RSS at rest, MB", settled)
            found.one(f"{name}: RSS since the restart at most, MB", peak)
            found.one(f"{name}: RSS at rest, ours / Kopf alone", settled / kopf)


async def measure(spokes: int, hubs: int, found: Figures) -> None:
    with tempfile.TemporaryDirectory(prefix="cirahub-bench-") as scratch:
        audit = Path(scratch) / AUDIT
        seed = Path(scratch) / "seed.jsonl"
        seed.write_text("\n".join(map(json.dumps, people(spokes))))
        with ControlPlane.start(binaries=Binaries.find(), audit=audit) as plane:
            await populate(plane, spokes=spokes, hubs=hubs)
            print(f"{spokes:,} Spokes of {hubs} Hubs:")
            rss, peak, seconds = await measure_nothing(plane, spokes + hubs + 1)
            found.one(f"{spokes:,}: Kopf alone, RSS, MB", rss)
            found.one(f"{spokes:,}: Kopf alone, RSS at most, MB", peak)
            found.one(f"{spokes:,}: Kopf alone, to all handled, s", seconds)
            with SimulatorProcess("--empty", f"--seed={seed}", "--no-throttle") as simulator:
                await measure_ours(
                    plane,
                    simulator.endpoints_file,
                    Path(scratch),
                    found,
                    spokes=spokes,
                    kopf=rss,
                )


def main() -> None:
    parser = options(__doc__ or "")
    parser.add_argument("--spokes", default="5000", help="how many, in turn (default: %(default)s)")
    parser.add_argument("--hubs", type=int, default=1, help="that share them")
    parser.add_argument("--nothing", metavar="KUBECONFIG", help=argparse.SUPPRESS)
    parser.add_argument("--expected", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.nothing:
        do_nothing(given.nothing, given.expected)
        return
    found = Figures("operator", given)
    for number in given.spokes.split(","):
        asyncio.run(measure(int(number), given.hubs, found))
    found.write()


if __name__ == "__main__":
    main()
