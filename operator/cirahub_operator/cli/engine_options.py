"""Options about the store, services and logs that the operator has in common with its workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from cirahub_operator.api.duration import seconds
from cirahub_operator.cli import cluster_ranges as ranges
from cirahub_operator.cli.store import unseen
from cirahub_operator.logs import LogFormat
from cirahub_sync import origins
from cirahub_sync.errors import CirahubError
from cirahub_sync.lease_terms import LeaseTerms

Command = TypeVar("Command", bound=Callable[..., object])
FILE = click.Path(dir_okay=False, path_type=Path)
DATABASE = "sqlite:////var/lib/cirahub/store.sqlite3"
KEY_FILE = Path("/etc/cirahub/key")


def duration(_: click.Context, __: click.Parameter, text: str) -> float:
    """A callback: seconds."""
    try:
        return seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def loaded(endpoints: Path | None) -> origins.Origins:
    """Raises UsageError."""
    try:
        return origins.load(endpoints)
    except CirahubError as error:
        raise click.UsageError(str(error)) from error


def engine_options(command: Command) -> Command:
    """Adds `database`, `key_file`, `endpoints`, `cluster_ranges` and `hub_lease`."""
    for option in reversed(_ENGINE):
        command = option(command)
    return command


def process_options(command: Command) -> Command:
    """Adds `kubeconfig`, `log_format` and `debug`."""
    for option in reversed(_PROCESS):
        command = option(command)
    return command


def _hub_lease(context: click.Context, option: click.Parameter, text: str) -> float:
    try:
        return LeaseTerms(seconds=duration(context, option, text)).seconds
    except CirahubError as error:
        raise click.BadParameter(str(error)) from error


_ENGINE = (
    click.option(
        "--database",
        default=DATABASE,
        envvar="CIRAHUB_DATABASE",
        show_envvar=True,
        callback=unseen,
        help="URL of the store: sqlite:///FILE, on a local disk and for one operator, or "
        "postgresql://USER@HOST/DATABASE. One with a password: in the variable only.",
    ),
    click.option(
        "--key-file",
        type=FILE,
        default=KEY_FILE,
        envvar="CIRAHUB_KEY_FILE",
        show_envvar=True,
        help="File with the key that opens the store: 32 bytes in base64, mounted from a Secret.",
    ),
    click.option(
        "--endpoints",
        type=FILE,
        envvar="CIRAHUB_ENDPOINTS",
        show_envvar=True,
        help="File that puts other hosts in the place of Microsoft's, as `cirahub simulate` writes "
        "it.",
    ),
    ranges.option,
    click.option(
        "--hub-lease",
        default="90s",
        callback=_hub_lease,
        envvar="CIRAHUB_HUB_LEASE",
        show_envvar=True,
        help="How long the store holds a hub for a pass that shows no sign of life any more. A "
        "request that writes gets four ninths of it (40 s) and leaves only while that much is "
        "left.",
    ),
)

_PROCESS = (
    click.option(
        "--kubeconfig",
        type=FILE,
        help="Kubeconfig of the cluster, outside of one. Default: KUBECONFIG, or ~/.kube/config.",
    ),
    click.option(
        "--log-format",
        type=click.Choice([form.value for form in LogFormat]),
        default=LogFormat.JSON.value,
        envvar="CIRAHUB_LOG_FORMAT",
        show_envvar=True,
        help="A JSON object a line, or lines for people.",
    ),
    click.option("--debug", is_flag=True, envvar="CIRAHUB_DEBUG", help="Log everything."),
)
