"""`cirahub deletions` and `cirahub restore`: what goes, what went, and bringing it back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import click
import msgspec

from cirahub_operator.cli import access, session
from cirahub_operator.cli.conflicts import LOOK_SECONDS, SETTINGS
from cirahub_operator.cli.leavers import date
from cirahub_operator.cli.table import table
from cirahub_sync.deletions import Deletion, Restored
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.worker import Worker

Answer = TypeVar("Answer")
HEADINGS = ("HUB", "ITEM", "DELETED", "IN", "GOES", "UNTIL")

_output = click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or JSON.",
)


class ShownWait(msgspec.Struct, frozen=True):
    spoke: str
    due: str
    reason: str


class Shown(msgspec.Struct, frozen=True, rename="camel"):
    """A deletion as JSON."""

    hub: str
    item: str
    deleted_at: str
    deleted_in: Sequence[str]
    waiting: Sequence[ShownWait]
    restorable_until: str


@click.command(context_settings=SETTINGS)
@click.option(
    "--hub",
    "hubs",
    multiple=True,
    metavar="NAMESPACE/NAME",
    help="Only this Hub's; may be repeated.",
)
@_output
@session.store_options
def command(*, hubs: tuple[str, ...], output: str, **given: object) -> None:
    """Show which items are about to be deleted, or were and can be brought back: by id, never by
    content.

    GOES says when an item's copies are deleted, and from how many Spokes; `guarded` waits for
    approval, `gone` is over. UNTIL says how long `cirahub restore` can bring it back.

    Exit codes: 0 they are shown, be they none; 1 the store can't be read; 2 wrong options.
    """
    found = access.run(given, lambda worker: worker.deletions())
    chosen = [one for one in found if not hubs or one.hub in hubs]
    if output == "json":
        _print_json([_shown(one) for one in chosen])
    elif chosen:
        click.echo("\n".join(table(HEADINGS, [_row(one) for one in chosen])))
    else:
        click.echo("Nothing is about to be deleted, and nothing can be brought back.")


def moment(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    """POSIX seconds."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("write a time like 2026-11-23T14:00Z") from error
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


@click.command(context_settings=SETTINGS)
@click.argument("hub")
@click.argument("items", nargs=-1, metavar="[ITEM]...")
@click.option(
    "--spoke", metavar="SPOKE", default="", help="All that was deleted in this Spoke since --to."
)
@click.option(
    "--to",
    "since",
    metavar="TIME",
    callback=moment,
    help="Bring back what was deleted after this moment, like 2026-11-23T14:00Z (UTC, unless it "
    "says otherwise). Default for items: what went when they died.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would come back.")
@click.option("--take-back", is_flag=True, help="Undo an earlier restore of these items.")
@click.option(
    "--wait",
    default="1m",
    callback=session.duration,
    help="How long to wait for a pass that is under way over the same hub.",
)
@_output
@session.store_options
def restore(
    *,
    hub: str,
    items: tuple[str, ...],
    spoke: str,
    since: float | None,
    dry_run: bool,
    take_back: bool,
    wait: float,
    output: str,
    **given: object,
) -> None:
    """Bring back items of HUB that mailboxes' users deleted, by the ids of `cirahub deletions`; or
    all that was deleted in one Spoke since a moment.

    What had been contributed counts again, as the hub's own, until its user has the item again or
    the Spoke leaves. The next pass brings it to all that receive, the mailbox in which it was
    deleted included if that is TwoWay; a mailbox that only contributes is never written to.

    Exit codes: 0 done, or shown; 1 the store can't be written, or a pass did not end in time; 2
    wrong options, or nothing is kept that could be brought back.
    """
    if bool(items) == bool(spoke):
        raise click.UsageError("name items, or a Spoke with --spoke")
    if spoke and since is None:
        raise click.UsageError("--spoke wants --to: since when deletions are undone")
    if take_back and (spoke or since is not None or dry_run):
        raise click.UsageError("--take-back goes with items only")
    if take_back:
        taken = access.run(
            given, lambda worker: _waiting(wait, lambda: worker.take_back(hub, items))
        )
        if output == "json":
            _print_json(list(taken))
        else:
            click.echo(f"{len(taken)} items are as deleted as they were, with their grace period.")
        return

    def bring(worker: Worker) -> Awaitable[Sequence[Restored]]:
        return _waiting(
            wait,
            lambda: worker.restore(hub, items=items, spoke=spoke, since=since, dry=dry_run),
        )

    found = access.run(given, bring)
    if output == "json":
        _print_json(found)
        return
    for one in found:
        gains = " (it lives, and gains what they had contributed)" if one.alive else ""
        click.echo(f"{one.item}  {', '.join(one.spokes) or '-'}{gains}")
    if dry_run:
        click.echo(f"{len(found)} items would come back.")
    else:
        click.echo(f"{len(found)} items come back; the next pass brings them to the mailboxes.")


async def _waiting(wait: float, work: Callable[[], Awaitable[Answer]]) -> Answer:
    until = time.monotonic() + wait
    while True:
        try:
            return await work()
        except LeaseHeldError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(LOOK_SECONDS)


def _row(one: Deletion) -> tuple[str, ...]:
    goes = "gone"
    if any(wait.reason == "Guarded" for wait in one.waiting):
        goes = "guarded"
    elif one.waiting:
        goes = date(min(wait.due_at for wait in one.waiting))
    if one.waiting:
        goes += f" ({len(one.waiting)})"
    until = date(one.until) if one.until else "-"
    return one.hub, one.item, date(one.deleted_at), ", ".join(one.deleted_in) or "-", goes, until


def _shown(one: Deletion) -> Shown:
    return Shown(
        hub=one.hub,
        item=one.item,
        deleted_at=date(one.deleted_at),
        deleted_in=one.deleted_in,
        waiting=[ShownWait(wait.spoke, date(wait.due_at), wait.reason) for wait in one.waiting],
        restorable_until=date(one.until) if one.until else "",
    )


def _print_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
