"""A hub with spokes over the simulator, on real sockets, driven pass by pass; with
CIRAHUB_TEST_PARTS in parts, a spoke each.

Time is the worker's own clock, moved by the tests, so that grace periods and back-offs pass
without waiting. Users act through the simulator's admin endpoint.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.keeps import Keep, MakeKeep, SQLiteKeep
from tests.shards.crew import Here
from tests.tallied import miscounted

from cirahub_simulator.client import AdminClient
from cirahub_simulator.directory import Application, ClientSecret, Tenant, User
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.world import World
from cirahub_sync.configuration import (
    ClientSecretAuth,
    ConnectionConfig,
    DeletionLimits,
    Direction,
    HubConfig,
    MailboxTarget,
    SecretFile,
    SpokeConfig,
)
from cirahub_sync.engine.report import PassReport
from cirahub_sync.erasure import ErasureReport
from cirahub_sync.errors import LeaseLostError
from cirahub_sync.identity.base import AccessToken, Material
from cirahub_sync.origins import Origins
from cirahub_sync.spoke_set import SpokeSetConfig
from cirahub_sync.store.opening import Store
from cirahub_sync.worker import Worker, WorkerSettings

from .calendars import Calendars
from .company import founded
from .photos import Photos

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
SECRET = "the-test-s-client-secret"
STAMP = "CiraHubItem"


class Handed:
    """The secret, as if it were read from a Kubernetes Secret."""

    async def secret(self, reference: SecretFile) -> Material:
        assert reference.origin == "test"
        return Material(value=SECRET)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        raise AssertionError("no token is asked for with a client secret")


class Scene:
    """One hub. `connect` adds spokes, `sync` runs passes, users act by `add`, `edit`, `remove`."""

    def __init__(
        self, simulator: EmbeddedSimulator, folder: Path, make_keep: MakeKeep = SQLiteKeep
    ) -> None:
        self.simulator = simulator
        self.admin: AdminClient = simulator.admin
        self.folder = folder
        self.keep: Keep = make_keep(folder)
        self._moved = 0.0
        self.hub = HubConfig(
            uid="hub-1",
            name="default/staff",
            deletion=DeletionLimits(grace_period=3600.0, max_count=50, max_percent=100),
        )
        self.connection = ConnectionConfig(
            uid="connection-1",
            name="default/contoso",
            auth=ClientSecretAuth(TENANT, CLIENT, secret=SecretFile("test")),
        )
        self.spokes: dict[str, SpokeConfig] = {}
        self.sets: dict[str, SpokeSetConfig] = {}
        self.installation = "test-installation"
        self.notifications = ""
        """Where services are to tell of changes, from the next start on."""
        self.leads = True
        """Whether this operator does, among several."""
        key = folder / "key"
        if not key.exists():
            key.write_bytes(base64.b64encode(os.urandom(32)))
        if not self.keep.exists():
            self.keep.make()
        self.worker = self._open()

    def clock(self) -> float:
        return time.time() + self._moved

    @property
    def moved(self) -> float:
        """Seconds that the worker's clock is ahead."""
        return self._moved

    def advance(self, seconds: float) -> None:
        """Let time pass for the worker."""
        self._moved += seconds

    def mailbox(self, name: str) -> str:
        return self.user(name, f"{name}@contoso.example", TENANT)

    def user(self, name: str, address: str, tenant: str) -> str:
        """Make them, unless they are there."""
        directory = self.simulator.world.directory
        if directory.find_user(address) is None:
            directory.add_user(
                User(
                    id=f"00000000-0000-4000-8000-{len(directory.users()):012d}",
                    tenant_id=tenant,
                    user_principal_name=address,
                    display_name=name,
                    mail=address,
                    has_mailbox=True,
                )
            )
        return address

    def connect(
        self, name: str, direction: Direction = Direction.CONTRIBUTE, **settings: Any
    ) -> SpokeConfig:
        """Add a spoke on the mailbox of that name, or change it."""
        spoke = SpokeConfig(
            uid=f"spoke-{name}",
            name=f"default/{name}",
            connection=self.connection,
            target=MailboxTarget(self.mailbox(name), settings.pop("folder", "")),
            direction=direction,
            **settings,
        )
        self.spokes[name] = spoke
        return spoke

    def configure(self, **settings: Any) -> None:
        self.hub = msgspec.structs.replace(self.hub, **settings)

    async def sync(self, passes: int = 1, **options: Any) -> PassReport:
        """Passes over the hub; the last one's report. Problems are the test's to look at."""
        if os.environ.get("CIRAHUB_TEST_PARTS"):
            options.setdefault("crew", Here(1, self._open))
        for _ in range(passes):
            report = await self.worker.run_pass(
                self.hub, list(self.spokes.values()), sets=list(self.sets.values()), **options
            )
            if isinstance(self.keep, SQLiteKeep) and report.problem is None:
                assert miscounted(self.keep.path) == []
        return report

    async def settle(self) -> PassReport:
        """Two passes in which nothing may go wrong."""
        report = await self.sync(2)
        problems = [report.problem, *(spoke.problem for spoke in report.spokes.values())]
        assert [problem for problem in problems if problem is not None] == []
        return report

    async def leave(self, name: str, grace: float = 0.0) -> SpokeConfig:
        """Delete a spoke: it leaves, and is erased once `grace` is over."""
        leaver = self.spokes.pop(name)
        erase_at = self.clock() + grace
        assert await self.worker.leave_spoke(self.hub, leaver.uid, erase_at=erase_at, spoke=leaver)
        return leaver

    async def erase(self, name: str) -> ErasureReport:
        """Delete a spoke, without any grace, and attempt to erase it."""
        leaver = await self.leave(name)
        return await self.worker.erase(leaver.uid, spokes=list(self.spokes.values()))

    # Users

    def add(self, name: str, **fields: Any) -> str:
        """The contact's id."""
        return str(self.admin.create_contact(self.mailbox(name), _graph(fields))["id"])

    def edit(self, name: str, contact: str, **fields: Any) -> None:
        self.admin.update_contact(self.mailbox(name), contact, _graph(fields))

    def remove(self, name: str, contact: str) -> None:
        self.admin.delete_contact(self.mailbox(name), contact)

    def held(self, name: str, folder: str = "") -> list[dict[str, Any]]:
        """The contacts of a folder, as Graph's JSON."""
        path = folder.split("/") if folder else []
        return [
            entry["contact"]
            for entry in self.admin.contacts(self.mailbox(name))
            if entry["folder"] == path
        ]

    def names(self, name: str, folder: str = "") -> list[str]:
        return sorted(contact["displayName"] for contact in self.held(name, folder))

    def the(self, name: str, display_name: str, folder: str = "") -> dict[str, Any]:
        """The one contact of that display name."""
        (found,) = [c for c in self.held(name, folder) if c["displayName"] == display_name]
        return found

    def binned(self, name: str) -> int:
        """Contacts in Deleted Items."""
        world = self.simulator.world
        user = world.directory.find_user(self.mailbox(name))
        assert user is not None
        return len(world.mailboxes[user.id].bin)

    # Requests

    def requests(self) -> list[dict[str, Any]]:
        """Graph requests since `forget`, those inside batches as entries of their own."""
        return [entry for entry in self.admin.requests() if entry["service"] == "graph"]

    def writes(self) -> list[dict[str, Any]]:
        return [
            entry
            for entry in self.requests()
            if entry["method"] != "GET" and not entry["path"].endswith("/$batch")
        ]

    def forget(self) -> None:
        self.admin.forget_requests()

    # Processes

    @property
    def database(self) -> Path:
        """The file, of a test that is about SQLite's."""
        if not isinstance(self.keep, SQLiteKeep):
            pytest.skip("about SQLite's file")
        return self.keep.path

    async def restart(self, *, before: Callable[[], object] | None = None) -> None:
        """A new process on the same store; `before` may do something to it meanwhile."""
        await self.worker.close()
        if before is not None:
            before()
        self.worker = self._open()

    async def lose_store(self) -> None:
        def lose() -> None:
            self.keep.lose()
            self.keep.make()

        await self.restart(before=lose)

    def opened(self) -> Store:
        """The store once more, as another process opens it."""
        return Store.open(self.keep.url, self.settings.key_file, self.clock)

    @property
    def settings(self) -> WorkerSettings:
        endpoints = self.simulator.endpoints
        return WorkerSettings(
            database=self.keep.url,
            key_file=self.folder / "key",
            installation=self.installation,
            origins=Origins(endpoints.origins, endpoints.ca_file),
            notifications=self.notifications,
        )

    def _open(self) -> Worker:
        return Worker.open(
            self.settings, Handed(), clock=self.clock, steadily=self.clock, leading=self._leading
        )

    def _leading(self) -> None:
        if not self.leads:
            raise LeaseLostError("another operator leads")


def _graph(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Graph's JSON from short forms: `email="a@b"` or `emails=["a@b", …]`."""
    body = dict(fields)
    if "email" in body:
        body["emails"] = [body.pop("email")]
    if "emails" in body:
        body["emailAddresses"] = [{"address": a, "name": a} for a in body.pop("emails")]
    return body


@contextmanager
def contoso(*granted: str) -> Iterator[EmbeddedSimulator]:
    """A tenant whose application has these roles, in a simulator."""
    world = World()
    world.directory.add_tenant(Tenant(TENANT, "contoso.example", "Contoso"))
    world.directory.add_application(
        Application(
            client_id=CLIENT,
            display_name="cirahub",
            home_tenant_id=TENANT,
            secrets=[ClientSecret(SECRET, datetime(2100, 1, 1, tzinfo=UTC))],
            granted={TENANT: set(granted)},
        )
    )
    with EmbeddedSimulator(world) as simulator:
        yield simulator


@pytest.fixture
async def scene(tmp_path: Path, make_keep: MakeKeep) -> AsyncIterator[Scene]:
    with contoso("Contacts.ReadWrite", "User.ReadBasic.All") as simulator:
        made = Scene(simulator, tmp_path, make_keep)
        yield made
        await made.worker.close()


@pytest.fixture
def photos(scene: Scene) -> Photos:
    return Photos(scene)


@pytest.fixture
def calendars(tmp_path: Path) -> Iterator[Calendars]:
    made = Calendars(tmp_path)
    yield made
    made.close()


@pytest.fixture
def company(scene: Scene) -> Scene:
    return founded(scene, TENANT, CLIENT)
