"""The `cirahub` command, also `kubectl cirahub`: a group whose subcommands register themselves."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path

import click

COMMANDS = "cirahub.commands"
"""The group of entry points that a package adds its subcommands to."""
DISTRIBUTION = "cirahub-operator"


class Commands(click.Group):
    """Finds its subcommands by entry points. One that can't be imported says so when it is called
    and takes nothing away from the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_found())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = _own().get(cmd_name) or _found().get(cmd_name)
        if entry is None:
            return None
        try:
            with _loading():
                loaded = entry.load()
        except Exception as error:
            return _broken(entry, error)
        return loaded if isinstance(loaded, click.Command) else _broken(entry, None)


def _found() -> dict[str, EntryPoint]:
    """Of all that is installed: the files of every distribution are read for that."""
    return {entry.name: entry for entry in entry_points(group=COMMANDS)}


def _own() -> dict[str, EntryPoint]:
    """Of this distribution."""
    try:
        entries = distribution(DISTRIBUTION).entry_points
    except PackageNotFoundError:
        return {}
    return {entry.name: entry for entry in entries.select(group=COMMANDS)}


@contextmanager
def _loading() -> Iterator[None]:
    """Modules are loaded to stay, and to look through them for garbage again and again took a tenth
    of the time that they take to load. What is loaded is looked at once, when there is more."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _broken(entry: EntryPoint, error: Exception | None) -> click.Command:
    why = "is no command" if error is None else f"{type(error).__name__}: {error}"

    def explain() -> None:
        raise click.ClickException(
            f"`cirahub {entry.name}` cannot be loaded from {entry.value} ({why}); reinstall "
            f"{DISTRIBUTION} with all it depends on"
        )

    return click.Command(
        entry.name,
        callback=explain,
        short_help=f"Cannot be loaded: {why}",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=DISTRIBUTION, prog_name="cirahub")
def cirahub() -> None:
    """Keeps contacts and calendars in sync, hub and spoke, between mailboxes, public folders and
    address lists of Microsoft 365 and Exchange Server."""


def main() -> None:
    # Otherwise whatever is installed beside us would be asked whether it has something to plug into
    # the models of our resources (https://docs.pydantic.dev/latest/concepts/plugins/).
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    plugin = Path(sys.argv[0]).name.startswith("kubectl-")
    cirahub(prog_name="kubectl cirahub" if plugin else "cirahub")
