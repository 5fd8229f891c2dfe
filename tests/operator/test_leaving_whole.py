"""Leaving with everything real but Microsoft: API server, engine, store, and a simulated tenant."""

from __future__ import annotations

import asyncio
import base64
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.failures.running import QUICK as REAL
from tests.failures.running import Running, Start
from tests.failures.situation import Seen
from tests.failures.town import PEOPLE, Town

from cirahub_simulator.process import SimulatorProcess
from cirahub_sync.origins import Origins
from cluster import Cluster

from .test_leaving import NOW
from .test_leaving_namespace import namespace_controller

__all__ = ["namespace_controller"]

QUICK = replace(REAL, erase_retry_most=2.0, backlog_interval=0.5, erase_timeout=30.0)
DAY = {"gracePeriod": "24h"}
LIFE = 6
"""Seconds that a token lives, so that a consent that is withdrawn is noticed."""


@pytest.fixture(scope="module")
def simulator(control_plane: Cluster) -> Iterator[SimulatorProcess]:
    with SimulatorProcess(
        "--empty",
        f"--cluster-issuer={control_plane.issuer}",
        f"--cluster-ca={control_plane.ca_file}",
    ) as process:
        yield process


@dataclass
class Place:
    """A town, and how to run an operator for it."""

    town: Town
    start: Start

    @asynccontextmanager
    async def operator(self, **timing: float) -> Any:
        start = self.start.but(timing=replace(QUICK, **timing))
        running = Running(start)
        await asyncio.to_thread(running.__enter__)
        self.town.operator = running
        try:
            yield running
        finally:
            await asyncio.to_thread(running.__exit__)

    def ids(self, name: str) -> Mapping[str, str]:
        """Of the contacts in a mailbox, with their change keys: what was deleted and made again has
        another."""
        held = self.town.held(name)
        return {one["id"]: one["changeKey"] for one in held}

    async def copies_go(self, name: str = "bob") -> None:
        await self.town.until(
            lambda: not self.town.held(name), lambda: f"{len(self.town.held(name))} copies left"
        )

    async def ready(self, kind: str, name: str) -> None:
        await self.town.comes(Seen(kind=kind, name=name, status="True", reason="Synced"))

    def left_in_store(self) -> int:
        """Items of any hub."""
        path = self.start.database.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as store:
            return int(store.execute("select count(*) from items").fetchone()[0])


@pytest.fixture
def place(
    control_plane: Cluster, definitions: None, simulator: SimulatorProcess, tmp_path: Path
) -> Iterator[Place]:
    admin = simulator.admin
    town = Town(control_plane, "leaving", admin)
    endpoints = admin.seed(list(town.records()))
    control_plane.kubectl(
        "apply", "--server-side", "-f", "-", input=yaml.safe_dump_all(town.surroundings())
    )
    key = tmp_path / "key"
    key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    yield Place(
        town,
        Start(
            kubeconfig=control_plane.kubeconfig,
            namespaces=(town.namespace,),
            database=f"sqlite:///{tmp_path / 'store.sqlite3'}",
            key_file=key,
            origins=Origins(origins=endpoints["origins"], ca_file=endpoints["ca_file"]),
        ),
    )
    town.stage.end()


async def test_a_rename_in_git_rewrites_no_mailbox(place: Place) -> None:
    town, stage = place.town, place.town.stage
    async with place.operator():
        await town.well(town.hub(deletion=DAY))
        before = place.ids("ann"), place.ids("bob")
        await stage.delete("spoke", "ann")
        await stage.delete("spoke", "bob")
        await stage.goes("spoke", "ann")
        await stage.goes("spoke", "bob")
        await stage.says("hub", "staff", "2 spokes are leaving")
        anna = town.ann() | {"metadata": {"name": "anna"}}
        robert = town.bob() | {"metadata": {"name": "robert"}}
        await stage.apply(anna, robert)
        await place.ready("Spoke", "anna")
        await place.ready("Spoke", "robert")
        await stage.says("hub", "staff", f"2 spokes, {PEOPLE} items")
        assert "leaving" not in await stage.status("hub", "staff")
        assert (await stage.status("spoke", "robert"))["copies"] == PEOPLE
        assert (place.ids("ann"), place.ids("bob")) == before


async def test_a_spoke_deleted_and_created_again_rewrites_no_mailbox(place: Place) -> None:
    town, stage = place.town, place.town.stage
    async with place.operator():
        await town.well(town.hub(deletion=DAY))
        before = place.ids("bob")
        for spoke in (town.ann(), town.bob()):
            name = spoke["metadata"]["name"]
            await stage.kubectl("delete", "spoke", name, "--timeout=120s")
            await stage.apply(spoke)
            await place.ready("Spoke", name)
        await stage.says("hub", "staff", f"2 spokes, {PEOPLE} items")
        assert place.ids("bob") == before


async def test_a_spoke_is_erased_when_its_grace_period_is_over_across_a_restart(
    place: Place,
) -> None:
    town, stage = place.town, place.town.stage
    async with place.operator():
        await town.well(town.hub(deletion={"gracePeriod": "8s"}))
        own = place.ids("ann")
        deleted = time.time()
        await stage.leaves("spoke", "ann")
        if time.time() < int(deleted) + 7:
            assert len(town.held("bob")) == PEOPLE
    async with place.operator():
        await place.copies_go()
        assert time.time() >= int(deleted) + 8
        await stage.says("hub", "staff", "1 spoke, 0 items")
    assert place.ids("ann") == own
    assert place.left_in_store() == 0


async def test_a_hub_deleted_and_created_again_rewrites_no_mailbox(place: Place) -> None:
    town, stage = place.town, place.town.stage
    async with place.operator():
        await town.well(town.hub(deletion=DAY))
        before = place.ids("bob")
        await stage.kubectl("delete", "hub", "staff", "--timeout=120s")
        await stage.says("spoke", "bob", "create it again to resume")
        await stage.apply(town.hub(deletion=DAY))
        await place.ready("Hub", "staff")
        await place.ready("Spoke", "bob")
        assert place.ids("bob") == before


async def test_a_hub_is_erased_without_its_object_and_starts_afresh_when_created_again(
    place: Place,
) -> None:
    town, stage = place.town, place.town.stage
    async with place.operator():
        await town.well(town.hub(deletion={"gracePeriod": "2s"}))
        own = place.ids("ann")
        before = place.ids("bob")
        await stage.kubectl("delete", "hub", "staff", "--timeout=120s")
        await place.copies_go()
        await stage.says("spoke", "bob", "create it, or delete this Spoke")
        assert place.left_in_store() == 0
        await stage.apply(town.hub(deletion=DAY))
        await town.until(lambda: len(town.held("bob")) == PEOPLE, lambda: "bob got nothing")
        assert not set(place.ids("bob")) & set(before)
    assert place.ids("ann") == own


async def test_a_revoked_consent_leaves_an_erasure_open_until_it_is_given_again(
    place: Place,
) -> None:
    town, stage = place.town, place.town.stage
    town.admin.call("PUT", "/token-lifetime", {"seconds": LIFE})
    try:
        async with place.operator(erase_timeout=6.0):
            await town.well(town.hub(deletion=DAY))
            town.admin.withdraw_consent(town.client, town.tenant)
            contoso = Seen(
                kind="Connection", name="contoso", status="False", reason="ClientNotFound"
            )
            await town.comes(contoso)
            # The token that the engine still had has ended too.
            await stage.comes("spoke", "ann", "False", "ClientNotFound")
            await stage.annotate("spoke", "bob", NOW)
            await stage.leaves("spoke", "bob")
            await stage.told("ErasureIncomplete", "Spoke")
            await stage.comes("hub", "staff", "True", "CopiesUnreachable", of="ErasureIncomplete")
            message = await stage.message("hub", "staff", of="ErasureIncomplete")
            assert f"Spoke bob: {PEOPLE} copies remain: " in message
            assert "consent" in message
            assert len(town.held("bob")) == PEOPLE
    finally:
        town.admin.call("PUT", "/token-lifetime", {"seconds": 3600})
    async with place.operator(erase_timeout=6.0):
        await stage.comes("hub", "staff", "True", "CopiesUnreachable", of="ErasureIncomplete")
        town.admin.grant(town.client, town.tenant, ["Contacts.ReadWrite", "User.Read.All"])
        await place.copies_go()
        await stage.comes("hub", "staff", "", "", of="ErasureIncomplete")
        await stage.says("hub", "staff", f"1 spoke, {PEOPLE} items")


async def test_an_operator_killed_while_erasing_goes_on_when_it_is_back(place: Place) -> None:
    town, stage = place.town, place.town.stage
    async with place.operator():
        await town.well()
        town.admin.add_rule("status", service="graph", path="permanentDelete", skip=2)
        await stage.delete("spoke", "ann")
        await stage.comes("spoke", "ann", "False", "ErasurePending")
        assert len(town.held("bob")) == PEOPLE - 2
    town.admin.clear_rules()
    async with place.operator():
        await stage.goes("spoke", "ann")
        assert not town.held("bob")


@pytest.mark.usefixtures("namespace_controller")
async def test_a_namespace_takes_its_copies_along(place: Place) -> None:
    """Its ServiceAccount goes at once; the token that it had given us still signs in."""
    town = place.town
    async with place.operator():
        await town.well(town.hub(deletion=DAY))
        own = place.ids("ann")
        await asyncio.to_thread(
            town.stage.plane.kubectl, "delete", "namespace", town.namespace, "--timeout=60s"
        )
        assert not town.held("bob")
    assert place.ids("ann") == own
    assert place.left_in_store() == 0
