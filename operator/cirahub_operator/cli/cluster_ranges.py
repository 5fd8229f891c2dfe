"""`--cluster-range`: where no service may be, for commands that run in a cluster or beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from cirahub_sync import origins
from cirahub_sync.errors import CirahubError

Command = TypeVar("Command", bound=Callable[..., object])


def option(command: Command) -> Command:
    """Adds it as `cluster_ranges`, a tuple of ranges in CIDR notation."""
    return click.option(
        "--cluster-range",
        "cluster_ranges",
        multiple=True,
        callback=_ranges,
        envvar="CIRAHUB_CLUSTER_RANGES",
        show_envvar=True,
        metavar="CIDR",
        help="A range of the cluster's pods or nodes; may be repeated (in the variable: separated "
        "by spaces). A service whose name leads there is not connected to, nor one in the ranges "
        "of Services, which are known where there is a cluster, or on this machine or its link.",
    )(command)


def _ranges(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(str(origins.network(text)) for text in texts)
    except CirahubError as error:
        raise click.BadParameter(str(error)) from error
