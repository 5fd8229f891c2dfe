"""`cirahub deletions` and `cirahub restore`: what goes, what went, and putting back what was."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import click
import msgspec

from cirahub_operator.cli import access, session
from cirahub_operator.cli.conflicts import LOOK_SECONDS, SETTINGS, text
from cirahub_operator.cli.leavers import date
from cirahub_operator.cli.output import as_json, output_option
from cirahub_operator.cli.table import table
from cirahub_sync.deletions import Deletion, Restored
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.worker import Worker

Answer = TypeVar("Answer")
HEADINGS = ("HUB", "ITEM", "DELETED", "IN", "GOES", "UNTIL")


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


class ShownChange(msgspec.Struct, frozen=True):
    field: str
    now: Sequence[str]
    then: Sequence[str]


class ShownRestored(msgspec.Struct, frozen=True, omit_defaults=True):
    """An item that was restored, as JSON; values only where they were asked for."""

    item: str
    spokes: Sequence[str]
    alive: bool
    fields: Sequence[str] = ()
    unknown: Sequence[str] = ()
    changes: Sequence[ShownChange] = ()


@click.command(context_settings=SETTINGS)
@session.hubs_option
@output_option()
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
        click.echo(as_json([_shown(one) for one in chosen]))
    elif chosen:
        click.echo("\n".join(table(HEADINGS, [_row(one) for one in chosen])))
    else:
        click.echo("Nothing is about to be deleted, and nothing can be brought back.")


def moment(_: click.Context, __: click.Parameter, written: str | None) -> float | None:
    """POSIX seconds."""
    if written is None:
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError as error:
        raise click.BadParameter("write a time like 2026-11-23T14:00Z") from error
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


@click.command(context_settings=SETTINGS)
@click.argument("hub")
@click.argument("items", nargs=-1, metavar="[ITEM]...")
@click.option(
    "--spoke",
    metavar="SPOKE",
    default="",
    help="All that this Spoke's user changed or deleted since --to.",
)
@click.option(
    "--to",
    "since",
    metavar="TIME",
    callback=moment,
    help="As it was at this moment, like 2026-11-23T14:00Z (UTC, unless it says otherwise). "
    "Without: what was deleted comes back as it was deleted.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option(
    "--values", is_flag=True, help="With --to: show values too: personal data, for your eyes."
)
@click.option(
    "--take-back",
    is_flag=True,
    help="Undo what was restored of these items, or of the Spoke's part of all.",
)
@session.wait_option()
@output_option()
@session.store_options
def restore(
    *,
    hub: str,
    items: tuple[str, ...],
    spoke: str,
    since: float | None,
    dry_run: bool,
    values: bool,
    take_back: bool,
    wait: float,
    output: str,
    **given: object,
) -> None:
    """Put back what was in HUB: items that mailboxes' users deleted; items as they were at an
    earlier moment; or all that one Spoke's user changed or deleted since.

    ITEM is an id that `cirahub deletions` and `cirahub explain` show. An item that is put back to a
    moment reads, field by field, as it did then, and lives again if it was deleted since. Of a
    Spoke only what its own user did is taken back: what others did stays, and what its user added.

    What is put back counts until its user says something else, has the item again, or the Spoke
    leaves. The next pass brings it to all that receive, that Spoke's mailbox included if it is
    TwoWay; a mailbox that only contributes is never written to.

    Exit codes: 0 done, or shown, be it nothing; 1 the store can't be written, or a pass did not
    end in time; 2 wrong options, nothing is kept that could be brought back, or it is not known
    what was at that moment.
    """
    if bool(items) == bool(spoke):
        raise click.UsageError("name items, or a Spoke with --spoke")
    if take_back and (since is not None or dry_run or values):
        raise click.UsageError("--take-back goes with items, or with --spoke, only")
    if spoke and since is None and not take_back:
        raise click.UsageError("--spoke wants --to: to which moment it is put back")
    if values and since is None:
        raise click.UsageError("--values wants --to: it shows what was then")
    if take_back:
        taken = access.run(
            given, lambda worker: _waiting(wait, lambda: worker.take_back(hub, items, spoke=spoke))
        )
        if output == "json":
            click.echo(as_json(list(taken)))
        else:
            click.echo(f"{len(taken)} items are what they were before: what was restored of them")
            click.echo("counts no more. What lived by it is deleted with its grace period.")
        return

    def bring(worker: Worker) -> Awaitable[Sequence[Restored]]:
        return _waiting(
            wait,
            lambda: worker.restore(
                hub, items=items, spoke=spoke, since=since, dry=dry_run, values=values
            ),
        )

    found = access.run(given, bring)
    if output == "json":
        click.echo(as_json([_told(one) for one in found]))
        return
    for one in found:
        click.echo("\n".join(_lines(one)))
    click.echo(_sum(found, moment=since is not None, dry=dry_run))


def _lines(one: Restored) -> list[str]:
    """For people."""
    lines = [f"{one.item}  {', '.join(one.spokes) or '-'}"]
    if one.fields:
        lines[0] += f"  {', '.join(one.fields)}"
        lines[0] += "" if one.alive else " (it lives again)"
    elif one.alive:
        lines[0] += " (it lives, and gains what they had contributed)"
    lines += [f"  {name}: what it was is not known; it stays as it is" for name in one.unknown]
    for change in one.changes:
        now, then = (", ".join(map(text, side)) or "-" for side in (change.now, change.then))
        lines.append(f"  {change.field}: {now}  ->  {then}")
    return lines


def _sum(found: Sequence[Restored], *, moment: bool, dry: bool) -> str:
    what = "be put back" if moment else "come back"
    if not found:
        return "Nothing is otherwise than it was then."
    counts = Counter(field for one in found for field in one.fields)
    fields = ", ".join(f"{field} {count}" for field, count in sorted(counts.items()))
    fields = f" ({fields})" if fields else ""
    if dry:
        return f"{len(found)} items would {what}{fields}."
    done = "are put back" if moment else "come back"
    return f"{len(found)} items {done}{fields}; the next pass brings them to the mailboxes."


def _told(one: Restored) -> ShownRestored:
    return ShownRestored(
        item=one.item,
        spokes=one.spokes,
        alive=one.alive,
        fields=one.fields,
        unknown=one.unknown,
        changes=[
            ShownChange(change.field, list(map(text, change.now)), list(map(text, change.then)))
            for change in one.changes
        ],
    )


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
