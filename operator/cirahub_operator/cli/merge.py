"""`cirahub merge` and `cirahub split`: which contacts are one item, by a person's word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import click

from cirahub_operator.cli import access, session
from cirahub_operator.cli.conflicts import LOOK_SECONDS, SETTINGS
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.worker import Worker


@click.command(context_settings=SETTINGS)
@click.argument("hub", metavar="NAMESPACE/NAME")
@click.argument("item")
@click.argument("other")
@session.wait_option()
@session.store_options
def merge(*, hub: str, item: str, other: str, wait: float, **given: object) -> None:
    """Make two items of a hub one, under the id of the first.

    What was contributed to either is contributed to that one; the next pass deletes the copies of
    the other from the mailboxes that have both. The other id stays known and leads to the first.
    Contacts of the mailboxes' own users are never deleted: if one mailbox has a contact of its own
    for each item, the merge is refused. `cirahub split` undoes it.

    Exit codes: 0 merged; 1 the store can't be written, or a pass did not end in time; 2 wrong
    options, or they can't be merged.
    """
    made = access.run(given, _once_free(lambda worker: worker.merge(hub, item, other), wait))
    click.echo(f"Merged into item {made} of Hub {hub}; the next pass brings it to the mailboxes.")


@click.command(context_settings=SETTINGS)
@click.argument("hub", metavar="NAMESPACE/NAME")
@click.argument("item")
@click.option(
    "--spoke",
    "spokes",
    multiple=True,
    required=True,
    metavar="SPOKE",
    help="Whose contact is somebody else (NAME or NAMESPACE/NAME); several become one new item.",
)
@session.wait_option()
@session.store_options
def split(*, hub: str, item: str, spokes: tuple[str, ...], wait: float, **given: object) -> None:
    """Make what some Spokes contribute to an item an item of its own.

    They never match that item again by themselves, whatever their keys are. The next pass brings
    the new item to the mailboxes. `cirahub merge` undoes it.

    Exit codes: 0 split; 1 the store can't be written, or a pass did not end in time; 2 wrong
    options, or it can't be split like that.
    """
    made = access.run(given, _once_free(lambda worker: worker.split(hub, item, spokes), wait))
    click.echo(f"Made item {made} in Hub {hub}; the next pass brings it to the mailboxes.")


def _once_free(
    work: Callable[[Worker], Awaitable[str]], wait: float
) -> Callable[[Worker], Awaitable[str]]:
    async def trying(worker: Worker) -> str:
        until = time.monotonic() + wait
        while True:
            try:
                return await work(worker)
            except LeaseHeldError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(LOOK_SECONDS)

    return trying
