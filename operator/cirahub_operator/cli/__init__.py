"""The `cirahub` command, also `kubectl cirahub`: a group whose subcommands register themselves."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
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
        entry = _found().get(cmd_name)
        if entry is None:
            return None
        try:
            loaded = entry.load()
        except Exception as error:
            return _broken(entry, error)
        return loaded if isinstance(loaded, click.Command) else _broken(entry, None)


def _found() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=COMMANDS)}


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
    plugin = Path(sys.argv[0]).name.startswith("kubectl-")
    cirahub(prog_name="kubectl cirahub" if plugin else "cirahub")
