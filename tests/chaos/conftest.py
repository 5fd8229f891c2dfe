"""Scenes for tests in which things go wrong: as many as a test asks for, each with a simulator of
its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.engine.conftest import CLIENT, SECRET, TENANT, Scene
from tests.keeps import MakeKeep

from cirahub_simulator.directory import Application, ClientSecret, Tenant
from cirahub_simulator.faults import Fault
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.switches import Switches
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

TENANT_ABROAD = "33333333-3333-4333-8333-333333333333"

OpenScene = Callable[[str], AbstractAsyncContextManager[Scene]]


@contextlib.contextmanager
def simulated(switches: Switches | None = None) -> Iterator[EmbeddedSimulator]:
    """A Microsoft 365 with two tenants, nobody in them, and our application."""
    world = World() if switches is None else World(switches=switches)
    world.directory.add_tenant(Tenant(TENANT, "contoso.example", "Contoso"))
    world.directory.add_tenant(Tenant(TENANT_ABROAD, "fabrikam.example", "Fabrikam"))
    roles = {"Contacts.ReadWrite", "User.ReadBasic.All"}
    world.directory.add_application(
        Application(
            client_id=CLIENT,
            display_name="cirahub",
            home_tenant_id=TENANT,
            secrets=[ClientSecret(SECRET, datetime(2100, 1, 1, tzinfo=UTC))],
            granted={TENANT: set(roles), TENANT_ABROAD: set(roles)},
        )
    )
    with EmbeddedSimulator(world) as simulator:
        yield simulator


@pytest.fixture
def open_scene(tmp_path: Path, make_keep: MakeKeep) -> OpenScene:
    """`async with open_scene("name") as scene`."""

    @asynccontextmanager
    async def scene(name: str) -> AsyncIterator[Scene]:
        folder = tmp_path / name
        folder.mkdir()
        with simulated() as simulator:
            made = Scene(simulator, folder, make_keep)
            try:
                yield made
            finally:
                await made.worker.close()

    return scene


def fired(scene: Scene) -> dict[str, int]:
    """How often each fault rule struck."""
    return {each["rule"]["id"]: each["fired"] for each in scene.admin.rules()}


class Struck(asyncio.Event):
    """Set as soon as a rule strikes, while the request that it struck is still held."""

    def __init__(self) -> None:
        super().__init__()
        self.over = asyncio.Event()
        """The request has had its effect, whether or not anybody waited for its answer."""


def striking(scene: Scene, rule: str) -> Struck:
    loop, struck = asyncio.get_running_loop(), Struck()
    faults, journal = scene.simulator.world.faults, scene.simulator.world.journal
    decided, noted = faults.decide, journal.note
    held: list[Request] = []

    def decide(request: Request) -> Fault | None:
        fault = decided(request)
        if fault is not None and fault.rule.id == rule:
            held.append(request)
            loop.call_soon_threadsafe(struck.set)
        return fault

    def note(request: Request, response: Response, *, fault: str | None = None) -> None:
        noted(request, response, fault=fault)
        if any(request is one for one in held):
            loop.call_soon_threadsafe(struck.over.set)

    faults.decide = decide  # type: ignore[method-assign]
    journal.note = note  # type: ignore[method-assign]
    return struck


@pytest.fixture
async def scene(open_scene: OpenScene) -> AsyncIterator[Scene]:
    async with open_scene("scene") as made:
        yield made
