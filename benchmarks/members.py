"""A set of spokes over one large group: what its members cost, joining, idle, and as one of them
comes.

The engine in this process, on SQLite; the simulator as Microsoft 365 in one of its own, with a
mailbox for each member. The figures that were measured stand in docs/benchmarks.md.

    python benchmarks/members.py [--members 1000]
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import resource
import secrets
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from cirahub_simulator import process
from cirahub_simulator.process import SimulatorProcess
from cirahub_sync.configuration import (
    ClientSecretAuth,
    ConnectionConfig,
    Direction,
    HubConfig,
    MailboxTarget,
    SecretFile,
    SpokeConfig,
)
from cirahub_sync.engine.report import PassReport
from cirahub_sync.identity.base import AccessToken, Material
from cirahub_sync.origins import Origins
from cirahub_sync.spoke_set import MemberSource, SpokeSetConfig
from cirahub_sync.worker import Worker, WorkerSettings
from figures import Figures, options

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
GROUP = "d0000000-0000-4000-8000-000000000001"
SECRET = "benchmark"
CONTACTS = 1
HOUR = 3600.0
process.PATIENCE = 900.0  # so many mailboxes take their time


class Credentials:
    async def secret(self, reference: SecretFile) -> Material:
        return Material(value=SECRET)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        raise AssertionError(service_account)


def person(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"user{number}"))


def seed(members: int) -> Iterator[dict[str, object]]:
    yield {"kind": "tenant", "id": TENANT, "domain": "contoso.example", "displayName": "Contoso"}
    yield {
        "kind": "application",
        "clientId": CLIENT,
        "displayName": "cirahub",
        "homeTenant": TENANT,
        "secrets": [{"value": SECRET, "name": "current"}],
        "granted": {TENANT: ["Contacts.ReadWrite", "User.Read.All", "GroupMember.Read.All"]},
    }
    for number in range(members + 2):
        yield {
            "kind": "user",
            "id": person(number),
            "tenant": TENANT,
            "userPrincipalName": f"user{number}@contoso.example",
            "displayName": f"User {number}",
        }
    for number in range(CONTACTS):
        contact = {
            "displayName": f"Person {number}",
            "emailAddresses": [{"address": f"p{number}@fabrikam.example", "name": "P"}],
        }
        yield {"kind": "contact", "mailbox": person(members + 1), "contact": contact}
    yield {
        "kind": "group",
        "id": GROUP,
        "tenant": TENANT,
        "displayName": "Everybody",
        "members": [person(number) for number in range(members)],
    }


def resident() -> float:
    """MB, now."""
    text = Path("/proc/self/status").read_text()
    (found,) = re.findall(r"VmRSS:\s+(\d+) kB", text)
    return int(found) / 1024


async def measured(
    found: Figures, what: str, work: Callable[[], Awaitable[PassReport]]
) -> PassReport:
    began, used = time.monotonic(), time.process_time()
    report = await work()
    assert report.problem is None, report.problem
    requests = sum(
        sum(one.answers.values())
        for with_apis in report.traffic.values()
        for one in with_apis.values()
    )
    found.one(f"{what}: wall, s", time.monotonic() - began)
    found.one(f"{what}: our CPU, s", time.process_time() - used)
    found.one(f"{what}: requests", requests)
    found.one(f"{what}: contacts written", report.written)
    found.one(f"{what}: RSS afterwards, MB", resident())
    return report


async def main(members: int, found: Figures) -> None:
    with tempfile.TemporaryDirectory(prefix="cirahub-members-") as name:
        folder = Path(name)
        people = folder / "seed.jsonl"
        people.write_text("\n".join(map(json.dumps, seed(members))))
        (folder / "key").write_bytes(base64.b64encode(secrets.token_bytes(32)))
        with SimulatorProcess("--seed", str(people)) as simulator:
            await _measure(simulator, folder, members, found)
    found.one("peak RSS, MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


async def _measure(simulator: SimulatorProcess, folder: Path, members: int, found: Figures) -> None:
    endpoints = simulator.endpoints
    moved = [0.0]
    settings = WorkerSettings(
        database=f"sqlite:///{folder / 'store.sqlite3'}",
        key_file=folder / "key",
        installation="benchmark",
        origins=Origins(endpoints.origins, endpoints.ca_file),
    )
    worker = Worker.open(settings, Credentials(), clock=lambda: time.time() + moved[0])
    connection = ConnectionConfig(
        "c", "bench/contoso", ClientSecretAuth(TENANT, CLIENT, secret=SecretFile("bench"))
    )
    hub = HubConfig("hub", "bench/company")
    source = SpokeConfig("company", "bench/company", connection, MailboxTarget(person(members + 1)))
    template = SpokeConfig(
        "set", "bench/everybody", connection, MailboxTarget(""), Direction.RECEIVE
    )
    everybody = SpokeSetConfig(
        uid="set", name="bench/everybody", source=MemberSource(groups=(GROUP,)), template=template
    )

    async def once() -> PassReport:
        return await worker.run_pass(hub, [source], sets=[everybody])

    print(f"{members:,} members, who get {CONTACTS} contacts each:")
    found.one("at the start: RSS, MB", resident())
    await measured(found, "all join", once)
    await once()
    await measured(found, "nothing changed", once)
    moved[0] += HOUR
    await measured(found, "nothing changed, and the group is read again", once)
    people = [person(number) for number in range(1, members + 1)]
    simulator.admin.set_members(GROUP, people)
    moved[0] += HOUR
    await measured(found, "one joins and one leaves", once)
    jobs = await worker.erasures()
    began = time.monotonic()
    report = await worker.erase(jobs[0].id, spokes=[source])
    assert report.complete
    found.one("who left is erased: wall, s", time.monotonic() - began)
    began = time.monotonic()
    left = await worker.leave_set(hub, everybody.uid, erase_at=time.time() + moved[0])
    assert len(left) == members
    found.one("all leave: recorded, s", time.monotonic() - began)
    began = time.monotonic()
    await worker.erasures()
    found.one("all leave: their jobs listed, s", time.monotonic() - began)
    await measured(found, "and come back", once)
    found.one("store, MB", (folder / "store.sqlite3").stat().st_size / 2**20)
    await worker.close()


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--members", type=int, default=1_000, help="of the group")
    given = parser.parse_args()
    outcome = Figures("members", given)
    asyncio.run(main(given.members, outcome))
    outcome.write()
