"""The commands of docs/database.md make copies of a store, and a copy goes on (invariant 16)."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.chaos.conftest import striking
from tests.keeps import Keep, PostgreSQLKeep, SQLiteKeep

from cirahub_sync.configuration import Direction

from .conftest import Scene

PAGE = Path(__file__).parents[2] / "docs/database.md"


class Commands:
    """What the page says for a database, as somebody at a shell types it."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        section = (
            PAGE.read_text().partition("## Backing up and restoring\n")[2].partition("\n## ")[0]
        )
        word = "STORE" if isinstance(keep, SQLiteKeep) else "CIRAHUB_DATABASE"
        blocks: list[str] = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
        self._back_up, self._restore = [block for block in blocks if f"${word}" in block]

    def back_up(self, folder: Path) -> None:
        folder.mkdir()
        self._run(self._back_up, folder)

    def restore(self, folder: Path) -> Callable[[], None]:
        def put_back() -> None:
            if isinstance(self._keep, PostgreSQLKeep):
                self._keep.empty()
            self._run(self._restore, folder)

        return put_back

    def _run(self, block: str, folder: Path) -> None:
        search = [str(Path(sys.executable).parent), os.defpath]
        environment = {}
        if isinstance(self._keep, SQLiteKeep):
            environment["STORE"] = str(self._keep.path)
        else:
            assert isinstance(self._keep, PostgreSQLKeep)
            search.insert(0, str(self._keep.server.programs.folder))
            url = make_url(self._keep.url).set(drivername="postgresql")
            environment["CIRAHUB_DATABASE"] = url.render_as_string(hide_password=False)
        environment["PATH"] = os.pathsep.join(search)
        subprocess.run(["sh", "-eu", "-c", block], cwd=folder, env=environment, check=True)


def people(scene: Scene, numbers: range) -> None:
    for number in numbers:
        scene.add("ada", displayName=f"P{number:02}", email=f"p{number}@example.org")


def ids(scene: Scene) -> dict[str, list[str]]:
    return {name: sorted(one["id"] for one in scene.held(name)) for name in scene.spokes}


@pytest.mark.every_database
async def test_a_copy_that_the_page_s_commands_made_goes_on_and_duplicates_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    """One is made at rest, one while creations are on their way whose answers it does not have."""
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    people(scene, range(10))
    await scene.settle()
    commands = Commands(scene.keep)
    commands.back_up(tmp_path / "at rest")

    people(scene, range(10, 30))
    rule = scene.admin.add_rule(
        "delay",
        service="graph",
        method="POST",
        path=r"/\$batch$",
        skip=1,  # What is new is fetched by one.
        count=1,
        moment="after",
        delay=1.0,
    )
    held = striking(scene, rule)
    work = asyncio.create_task(scene.sync())
    await held.wait()
    assert scene.keep.rows("SELECT count(*) FROM intents") == [(20,)]
    commands.back_up(tmp_path / "within a pass")
    await work
    scene.edit("ada", scene.the("ada", "P00")["id"], jobTitle="Baker")
    scene.remove("ada", scene.the("ada", "P01")["id"])
    await scene.settle()
    before = ids(scene)

    for copy in ("within a pass", "at rest"):
        await scene.restart(before=commands.restore(tmp_path / copy))
        scene.advance(100.0)  # The pass that was under way has the hub until its lease ends.
        await scene.settle()
        assert ids(scene) == before, copy
        assert scene.the("ben", "P00")["jobTitle"] == "Baker"

    scene.advance(3700)
    await scene.settle()
    assert scene.names("ben") == [f"P{number:02}" for number in range(30) if number != 1]
