"""`cirahub folders`: which public folders there are, for whoever writes a Spoke for one."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Literal

import click

from cirahub_operator.api import Connection
from cirahub_operator.cli import manifests
from cirahub_operator.cli.files import FileCredentials
from cirahub_operator.cli.manifests import ManifestError, Manifests
from cirahub_operator.cli.output import as_json, output_option
from cirahub_operator.cli.session import FILE, Exit
from cirahub_operator.cli.table import table
from cirahub_operator.places import UnresolvedError
from cirahub_operator.resolver import FullTrust, connection_config
from cirahub_sync import origins
from cirahub_sync.configuration import ConnectionConfig
from cirahub_sync.endpoints.opening import open_session
from cirahub_sync.endpoints.public_folder import PublicFolder
from cirahub_sync.endpoints.session import Surroundings, no_answers
from cirahub_sync.errors import CirahubError, ConfigurationError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.origins import Origins
from cirahub_sync.throttle import Throttle

HEADINGS = ("PATH", "CLASS", "ITEMS")


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.argument("name", metavar="CONNECTION")
@click.option(
    "--filename",
    "-f",
    "files",
    multiple=True,
    required=True,
    metavar="FILE|FOLDER|-",
    help="Manifests with the Connection, and the Secret that it names, if any; may be repeated.",
)
@click.option(
    "--endpoints",
    type=FILE,
    envvar="CIRAHUB_ENDPOINTS",
    show_envvar=True,
    help="File that puts other hosts in the place of Microsoft's, as `cirahub simulate` writes it.",
)
@output_option()
def command(
    *, name: str, files: tuple[str, ...], endpoints: Path | None, output: Literal["text", "json"]
) -> None:
    """List the public folders that a Connection may see, each with its class and number of items.

    CONNECTION is NAME or NAMESPACE/NAME. PATH is what `publicFolder.path` of a Spoke takes; its
    class has to begin with IPF.Contact. Of an Exchange Server, these are the folders that the
    account may see. Of Microsoft 365, all that there are, by Exchange's own commands: they can be
    listed, not synced, since no service shows what is in them. Nothing is changed.

    Exit codes: 0 listed; 1 the service did not let us, or could not be reached; 2 wrong options or
    manifests, or a Connection that opens no public folders.
    """
    try:
        loaded = manifests.load(files, hubs=False)
        config = connection_config(_named(loaded, name), trust=FullTrust())
        places = origins.load(endpoints)
    except ManifestError as error:
        click.echo("\n".join(f"Error: {mistake}" for mistake in error.mistakes), err=True)
        sys.exit(Exit.BAD_INPUT)
    except UnresolvedError as error:
        click.echo(f"Error: {error.problem.message}", err=True)
        sys.exit(Exit.BAD_INPUT)
    except CirahubError as error:
        raise click.UsageError(str(error)) from error
    try:
        found = asyncio.run(_listed(config, places, FileCredentials(loaded.secrets)))
    except CirahubError as error:
        click.echo(f"Error: {error}", err=True)
        wrong = isinstance(error, ConfigurationError)
        sys.exit(Exit.BAD_INPUT if wrong else Exit.FAILED)
    if output == "json":
        click.echo(as_json(found))
    elif found:
        click.echo("\n".join(table(HEADINGS, [_row(one) for one in found])))
    else:
        click.echo("No public folders.")


async def _listed(
    config: ConnectionConfig, places: Origins, credentials: FileCredentials
) -> list[PublicFolder]:
    session = open_session(
        config,
        Surroundings(
            origins=places,
            credentials=credentials,
            clock=time.time,
            lease=LeaseTerms(),
            throttle=Throttle(),
            answers=no_answers(),
        ),
    )
    try:
        return [one async for one in session.public_folders()]
    finally:
        await session.close()


def _named(loaded: Manifests, name: str) -> Connection:
    found = [one for one in loaded.connections if name in (one.metadata.name, one.metadata.key)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ManifestError([f"{name}: several namespaces have one; write NAMESPACE/{name}"])
    known = ", ".join(sorted(one.metadata.key for one in loaded.connections)) or "none at all"
    raise ManifestError([f"{name}: the files have no such Connection; there are {known}"])


def _row(folder: PublicFolder) -> tuple[str, ...]:
    path = folder.path
    return (
        # A name may have characters in it that command a terminal.
        path if path.isprintable() else path.encode("unicode_escape").decode(),
        folder.folder_class or "-",
        "-" if folder.items is None else str(folder.items),
    )
