"""A world a theme: one simulator and one operator, and a town for each situation."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import yaml
from tests.operator.conftest import definitions

from cirahub_simulator.process import SimulatorProcess
from cirahub_sync.origins import Origins
from cluster import Cluster

from .play import play
from .process import OperatorProcess
from .running import Running, Start
from .situation import Situation
from .town import Town

__all__ = ["definitions"]


class World:
    """Towns of the situations of one theme. Those that need no operator of their own share one."""

    def __init__(
        self,
        plane: Cluster,
        simulator: SimulatorProcess,
        situations: Sequence[Situation],
        folder: Path,
    ) -> None:
        self._folder = folder
        admin = simulator.admin
        self.towns = {one.id: Town(plane, one.id, admin) for one in situations}
        endpoints = admin.seed([line for one in situations for line in self._records(one)])
        manifests = [one for town in self.towns.values() for one in town.surroundings()]
        plane.kubectl("apply", "--server-side", "-f", "-", input=yaml.safe_dump_all(manifests))
        self._start = Start(
            kubeconfig=plane.kubeconfig,
            namespaces=tuple(
                self.towns[one.id].namespace for one in situations if one.start is None
            ),
            database="",
            key_file=Path(),
            origins=Origins(origins=endpoints["origins"], ca_file=endpoints["ca_file"]),
        )
        for town in self.towns.values():
            town.origins = self._start.origins
        self._plane = plane

    def _records(self, situation: Situation) -> Iterator[Mapping[str, object]]:
        town = self.towns[situation.id]
        yield from town.records()
        if situation.besides is not None:
            yield from situation.besides(town)

    def start_of(self, name: str, *towns: Town) -> Start:
        """How to start an operator with a store of its own, for these towns or the shared ones."""
        folder = self._folder / name
        folder.mkdir()
        key = folder / "key"
        key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        start = self._start.but(database=f"sqlite:///{folder / 'store.sqlite3'}", key_file=key)
        return start.but(namespaces=tuple(town.namespace for town in towns)) if towns else start

    async def play(self, situation: Situation, caplog: pytest.LogCaptureFixture) -> None:
        town = self.towns[situation.id]
        try:
            if situation.start is None:
                await play(situation, town, lambda: caplog.text)
            else:
                town.start = self.start_of(situation.id, town)
                await self._play_alone(situation, town, await situation.start(town), caplog)
        finally:
            town.clean_up()

    async def _play_alone(
        self, situation: Situation, town: Town, start: Start, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With an operator that serves this town only."""
        running: Running | OperatorProcess
        if start.process:
            running = process = OperatorProcess(start, start.key_file.parent)
            log = lambda: process.log  # noqa: E731
        else:
            running, log = Running(start, town.clock), lambda: caplog.text
        await asyncio.to_thread(running.__enter__)
        town.operator = running
        failed: BaseException | None = None
        try:
            await play(situation, town, log)
        except BaseException as error:
            failed = error
            raise
        finally:
            kind = None if failed is None else type(failed)
            await asyncio.to_thread(running.__exit__, kind, failed, None)

    def close(self) -> None:
        for town in self.towns.values():
            town.stage.end()


@pytest.fixture(scope="module")
def simulator(control_plane: Cluster) -> Iterator[SimulatorProcess]:
    """An empty one, which trusts the cluster's tokens."""
    with SimulatorProcess(
        "--empty",
        f"--cluster-issuer={control_plane.issuer}",
        f"--cluster-ca={control_plane.ca_file}",
    ) as process:
        yield process


@pytest.fixture(scope="module")
def world(
    request: pytest.FixtureRequest,
    control_plane: Cluster,
    definitions: None,
    simulator: SimulatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Of the module's SITUATIONS."""
    situations = request.module.SITUATIONS
    world = World(control_plane, simulator, situations, tmp_path_factory.mktemp("world"))
    shared = [world.towns[one.id] for one in situations if one.start is None]
    try:
        if not shared:
            yield world
            return
        with Running(world.start_of("shared")) as operator:
            for town in shared:
                town.operator = operator
            yield world
    finally:
        world.close()
