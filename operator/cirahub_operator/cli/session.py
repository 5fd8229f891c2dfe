"""What `cirahub pass` and `cirahub plan` have in common: manifests, an engine, hub after hub."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

import click

from cirahub_operator.api import Hub, Spoke, SpokeSet
from cirahub_operator.api.duration import seconds
from cirahub_operator.cli import manifests, store
from cirahub_operator.cli.files import FileCredentials
from cirahub_operator.cli.manifests import ManifestError, Manifests
from cirahub_operator.resolver import FullTrust, Resolution, hub_not_found, resolve
from cirahub_sync import origins
from cirahub_sync.errors import CirahubError
from cirahub_sync.worker import Progress, Worker, WorkerSettings

Answer = TypeVar("Answer")
Command = TypeVar("Command", bound=Callable[..., object])
FILE = click.Path(dir_okay=False, path_type=Path)


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    """Something did not get through."""
    BAD_INPUT = 2
    """Options or manifests; nothing was done."""
    GUARDED = 3
    """Deletions are held back and wait for approval."""
    CHANGES = 4
    """Of a plan, on request: there is something to do."""
    INTERRUPTED = 130


@dataclass(frozen=True)
class Options:
    files: tuple[str, ...]
    hubs: tuple[str, ...]
    database: str | None
    key_file: Path | None
    init_key: bool
    installation: str
    endpoints: Path | None
    quiet: bool


def files_option(command: Command) -> Command:
    return click.option(
        "--filename",
        "-f",
        "files",
        multiple=True,
        required=True,
        metavar="FILE|FOLDER|-",
        help="Manifests of Connections, Hubs, Spokes, SpokeSets and Secrets; may be repeated.",
    )(command)


def options(command: Command) -> Command:
    """The options of passes and plans."""
    for option in reversed((*_OPTIONS, *_STORE_OPTIONS)):
        command = option(command)
    return command


def store_options(command: Command) -> Command:
    """Those that say which store it is, and who we are."""
    for option in reversed(_STORE_OPTIONS):
        command = option(command)
    return command


def hubs_option(command: Command) -> Command:
    return click.option(
        "--hub",
        "hubs",
        multiple=True,
        metavar="NAMESPACE/NAME",
        help="Only this Hub's; may be repeated.",
    )(command)


def wait_option(default: str = "1m") -> Callable[[Command], Command]:
    return click.option(
        "--wait",
        default=default,
        callback=duration,
        help="How long to wait for a pass that is under way over the same hub.",
    )


def duration(_: click.Context, __: click.Parameter, text: str) -> float:
    """An option's value in seconds."""
    try:
        return seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_STORE_OPTIONS: Sequence[Callable[[Command], Command]] = (
    click.option(
        "--database",
        envvar="CIRAHUB_DATABASE",
        show_envvar=True,
        callback=store.unseen,
        help="URL of the store: sqlite:///FILE or postgresql://USER@HOST/DATABASE. One with a "
        "password: in the variable only. Default: store.sqlite3 in XDG_STATE_HOME/cirahub.",
    ),
    click.option(
        "--key-file",
        type=FILE,
        envvar="CIRAHUB_KEY_FILE",
        show_envvar=True,
        help="File with the key that opens the store. Default: key in XDG_STATE_HOME/cirahub.",
    ),
    click.option(
        "--installation-id",
        "installation",
        default="",
        show_default=False,
        envvar="CIRAHUB_INSTALLATION_ID",
        show_envvar=True,
        help="Who we are in the marks on our copies; has to stay the same for as long as these "
        "live. Default: told by the key.",
    ),
    click.option(
        "--endpoints",
        type=FILE,
        envvar="CIRAHUB_ENDPOINTS",
        show_envvar=True,
        help="File that puts other hosts in the place of Microsoft's, as `cirahub simulate` "
        "writes it.",
    ),
    click.option("--quiet", "-q", is_flag=True, help="Show no progress."),
)
_OPTIONS: Sequence[Callable[[Command], Command]] = (
    files_option,
    click.option(
        "--hub",
        "hubs",
        multiple=True,
        metavar="NAME",
        help="Only this Hub (NAME or NAMESPACE/NAME); may be repeated. Default: all in the files.",
    ),
    click.option(
        "--init-key", is_flag=True, help="Make the key file if it does not exist, nor the store."
    ),
)


@dataclass(frozen=True)
class Case:
    """A hub to work on."""

    hub: Hub
    resolution: Resolution


def run(
    given: Options, work: Callable[[Worker, Case, Progress], Awaitable[Answer]]
) -> list[Answer]:
    """Does the work for each hub in turn. Ends the process for bad input and for a store that
    can't be opened."""
    try:
        found, loaded = cases(given.files, given.hubs, quiet=given.quiet)
        settings = _settings(given)
    except ManifestError as error:
        click.echo("\n".join(f"Error: {mistake}" for mistake in error.mistakes), err=True)
        sys.exit(Exit.BAD_INPUT)
    except CirahubError as error:
        raise click.UsageError(str(error)) from error

    def progress(line: str) -> None:
        if not given.quiet:
            click.echo(line, err=True)

    async def all_of_them() -> list[Answer]:
        worker = Worker.open(settings, FileCredentials(loaded.secrets))
        try:
            return [await work(worker, case, progress) for case in found]
        finally:
            await worker.close()

    gc.freeze()  # what is loaded stays until the end, and need not be looked through, not even then
    try:
        return asyncio.run(all_of_them())
    except CirahubError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(Exit.FAILED)
    except KeyboardInterrupt:
        click.echo("Stopped; what is left follows in the next pass.", err=True)
        sys.exit(Exit.INTERRUPTED)


def _settings(given: Options) -> WorkerSettings:
    database, key = store.prepare(given.database, given.key_file, init_key=given.init_key)
    return WorkerSettings(
        database=database,
        key_file=key.path,
        installation=given.installation or key.installation(),
        origins=origins.load(given.endpoints),
    )


def cases(
    files: Sequence[str], hubs: Sequence[str] = (), *, quiet: bool = False
) -> tuple[list[Case], Manifests]:
    """The hubs to work on (none named: all), and all that was in the files. Raises
    ManifestError."""
    loaded = manifests.load(files)
    if loaded.ignored and not quiet:
        click.echo(f"Not needed for a pass, ignored: {', '.join(loaded.ignored)}", err=True)
    mistakes = _orphans(loaded)
    found = [_case(hub, loaded) for hub in _selected(hubs, loaded)]
    for case in found:
        for name, problem in case.resolution.problems.items():
            kind, _, called = name.rpartition(" ")
            key = called if "/" in called else f"{case.hub.metadata.namespace}/{called}"
            place = loaded.places[f"{kind or 'Spoke'} {key}"]
            mistakes.append(f"{place}: {problem.message}")
    if mistakes:
        raise ManifestError(mistakes)
    return found, loaded


def _orphans(loaded: Manifests) -> list[str]:
    known = {(hub.metadata.namespace, hub.metadata.name) for hub in loaded.hubs}
    declared: list[Spoke | SpokeSet] = [*loaded.spokes, *loaded.sets]
    return [
        f"{loaded.places[f'{spoke.kind} {spoke.metadata.key}']}: "
        + hub_not_found(spoke.hub_namespace, spoke.spec.hub_ref.name).message
        for spoke in declared
        if (spoke.hub_namespace, spoke.spec.hub_ref.name) not in known
    ]


def _selected(names: Sequence[str], loaded: Manifests) -> list[Hub]:
    if not names:
        return loaded.hubs
    found = []
    for name in names:
        fitting = [hub for hub in loaded.hubs if name in {hub.metadata.name, hub.metadata.key}]
        if not fitting:
            known = ", ".join(hub.metadata.key for hub in loaded.hubs)
            raise ManifestError([f"--hub {name}: the files have no such Hub; there are {known}"])
        if len(fitting) > 1:
            raise ManifestError(
                [f"--hub {name}: several namespaces have one; write NAMESPACE/{name}"]
            )
        found += fitting
    return found


def _case(hub: Hub, loaded: Manifests) -> Case:
    namespace, name = hub.metadata.namespace, hub.metadata.name
    return Case(
        hub,
        resolve(
            hub,
            [
                spoke
                for spoke in loaded.spokes
                if (spoke.hub_namespace, spoke.spec.hub_ref.name) == (namespace, name)
            ],
            {one.metadata.key: one for one in loaded.connections},
            trust=FullTrust(),
            sets=[
                one
                for one in loaded.sets
                if (one.hub_namespace, one.spec.hub_ref.name) == (namespace, name)
            ],
        ),
    )
