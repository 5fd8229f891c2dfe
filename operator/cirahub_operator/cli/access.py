"""Access to a store without manifests: for commands that ask it, or tell it something."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from cirahub_operator.cli import store
from cirahub_operator.cli.files import FileCredentials
from cirahub_operator.cli.session import Exit
from cirahub_sync import origins
from cirahub_sync.errors import CirahubError, DecisionError
from cirahub_sync.worker import Worker, WorkerSettings

Answer = TypeVar("Answer")


def run(given: dict[str, object], work: Callable[[Worker], Awaitable[Answer]]) -> Answer:
    """`given` are the options of the store. Ends the process for bad input and for a store that
    can't be opened."""
    where = msgspec.convert(given, _Where)
    database, key = store.prepare(where.database, where.key_file, init_key=False)

    async def opened() -> Answer:
        settings = WorkerSettings(
            database=database,
            key_file=key.path,
            installation=where.installation or key.installation(),
            origins=origins.load(where.endpoints),
        )
        worker = Worker.open(settings, FileCredentials({}))
        try:
            return await work(worker)
        finally:
            await worker.close()

    try:
        return asyncio.run(opened())
    except DecisionError as error:
        refuse(str(error))
        raise
    except CirahubError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(Exit.FAILED)


class _Where(msgspec.Struct):
    """The options of the store."""

    database: str | None
    key_file: Path | None
    installation: str
    endpoints: Path | None
    quiet: bool


def refuse(message: str) -> None:
    """Ends the process for what makes no sense."""
    click.echo(f"Error: {message}", err=True)
    sys.exit(Exit.BAD_INPUT)
