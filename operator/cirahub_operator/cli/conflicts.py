"""`cirahub conflicts`: what waits for a person (under the policy Manual, or since two Spokes kept
changing it back and forth), and their decision."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import Sequence
from typing import TypeVar

import click
import msgspec

from cirahub_operator.cli import access, session
from cirahub_operator.cli.leavers import date
from cirahub_operator.cli.output import as_json, output_option
from cirahub_operator.cli.table import table
from cirahub_sync.conflicts import OpenConflict, Side
from cirahub_sync.engine.decide import Choice
from cirahub_sync.model.contact import CustomField, Email, Phone, PostalAddress
from cirahub_sync.model.event import Occurrence
from cirahub_sync.model.kind import Element
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.worker import Worker

Answer = TypeVar("Answer")
HEADINGS = ("CONFLICT", "HUB", "FIELD", "ITEM", "SINCE", "SIDES")
DECIDED = "(a person's decision)"
HELD = "(as it was frozen)"
LOOK_SECONDS = 1.0
"""Between two looks at whether a pass has ended."""
SETTINGS = {"show_default": True, "max_content_width": 100}


class ShownSide(msgspec.Struct, frozen=True, omit_defaults=True):
    spoke: str
    stands: bool
    values: Sequence[str] | msgspec.UnsetType = msgspec.UNSET


class Shown(msgspec.Struct, frozen=True):
    """A conflict as JSON; values only where they were asked for."""

    id: str
    hub: str
    item: str
    field: str
    since: str
    sides: Sequence[ShownSide]
    frozen: bool


@click.group()
def command() -> None:
    """Decide the conflicts that wait for a person.

    With `conflictPolicy: Manual` two values that spokes gave one field, unaware of each other, wait
    for a person; until then the hub shows the one that it had first. Under every policy, a field
    that two Spokes have changed back and forth three times in 24 hours is frozen and waits, too:
    neither of them is listened to, or written to, until somebody decides. The store knows which
    these are, as of the last pass.
    """


@command.command("list", context_settings=SETTINGS)
@session.hubs_option
@output_option()
@session.store_options
def listing(*, hubs: tuple[str, ...], output: str, **given: object) -> None:
    """Show which conflicts wait, and between whom, without any value.

    Exit codes: 0 they are shown, be they none; 1 the store can't be read; 2 wrong options.
    """
    found = access.run(given, lambda worker: worker.conflicts())
    chosen = [one for one in found if not hubs or one.hub in hubs]
    if output == "json":
        click.echo(as_json([_shown(one, values=False) for one in chosen]))
    elif chosen:
        click.echo("\n".join(table(HEADINGS, [_row(one) for one in chosen])))
    else:
        click.echo("No conflict waits for a decision.")


@command.command(context_settings=SETTINGS)
@click.argument("conflict")
@output_option()
@session.store_options
def show(*, conflict: str, output: str, **given: object) -> None:
    """Show one conflict with what each side says: personal data, for your eyes.

    Exit codes: 0 it is shown; 1 the store can't be read; 2 wrong options, or no such conflict
    waits.
    """
    found = access.run(given, lambda worker: worker.conflicts())
    one = next((one for one in found if one.id == conflict), None)
    if one is None:
        access.refuse(f"no conflict {conflict} waits for a decision; see cirahub conflicts list")
    elif output == "json":
        click.echo(as_json(_shown(one, values=True)))
    else:
        click.echo("\n".join(_told(one)))


@command.command(context_settings=SETTINGS)
@click.argument("conflict")
@click.option("--choose", metavar="SPOKE", help="What this Spoke says (NAME or NAMESPACE/NAME).")
@click.option("--value", metavar="TEXT", help="This value instead; blank empties the field.")
@click.option("--keep", is_flag=True, help="What the hub shows now.")
@session.wait_option()
@output_option()
@session.store_options
def resolve(
    *,
    conflict: str,
    choose: str | None,
    value: str | None,
    keep: bool,
    wait: float,
    output: str,
    **given: object,
) -> None:
    """Decide a conflict; the next pass brings the decision to the mailboxes.

    It holds until one of the sides says something else, or the Spoke that was chosen leaves. The
    conflict's id stands for what you have seen: if a side has said something else since, nothing is
    decided.

    Exit codes: 0 decided; 1 the store can't be written, or a pass did not end in time; 2 wrong
    options, or the conflict is not what it was any more.
    """
    if [choose is not None, value is not None, keep].count(True) != 1:
        raise click.UsageError("say what it shall be: one of --choose, --value and --keep")
    choice = Choice(spoke=choose, value=value, keep=keep)

    async def decide(worker: Worker) -> OpenConflict:
        until = time.monotonic() + wait
        while True:
            try:
                return await worker.decide(conflict, choice, spoke=choose or "")
            except LeaseHeldError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(LOOK_SECONDS)

    decided = access.run(given, decide)
    if output == "json":
        click.echo(as_json(_shown(decided, values=False)))
    else:
        click.echo(
            f"Decided {decided.field} of item {decided.item} in Hub {decided.hub}; the next pass "
            "brings it to the mailboxes."
        )


def _row(one: OpenConflict) -> tuple[str, ...]:
    sides = ", ".join(_name(one, side) + ("*" if side.stands else "") for side in one.sides)
    if one.frozen:
        sides += " (frozen)"
    return one.id, one.hub, one.field, one.item, date(one.since), sides


def _told(one: OpenConflict) -> list[str]:
    lines = [f"Conflict {one.id}: {one.field} of item {one.item} in Hub {one.hub}"]
    if one.frozen:
        lines.append(
            f"  It is frozen: {' and '.join(one.frozen)} kept changing it back and forth. See what "
            "does that there, before you decide."
        )
    for side in one.sides:
        lines.append(f"  {_name(one, side)}{' (the hub shows this)' if side.stands else ''}")
        lines += [f"    {text(value)}" for value in side.values]
    return lines


def _shown(one: OpenConflict, *, values: bool) -> Shown:
    sides = [
        ShownSide(
            side.spoke, side.stands, list(map(text, side.values)) if values else msgspec.UNSET
        )
        for side in one.sides
    ]
    frozen = bool(one.frozen)
    return Shown(one.id, one.hub, one.item, one.field, date(one.since), sides, frozen)


def _name(conflict: OpenConflict, side: Side) -> str:
    return side.spoke or (HELD if conflict.frozen else DECIDED)


def text(value: Element) -> str:
    """A value on one line, with what would move a terminal's cursor escaped."""
    match value:
        case Email(address, name):
            line = f"{name} <{address}>" if name else address
        case Phone(kind, number):
            line = f"{kind.value}: {number}"
        case PostalAddress():
            _, *parts = msgspec.structs.astuple(value)
            line = f"{value.kind.value}: {', '.join(part for part in parts if part)}"
        case CustomField(name, inner):
            line = f"{name}: {inner}"
        case Occurrence():
            said = (value.start, value.subject, value.location, value.body)
            moved = ", ".join(part for part in said if part)
            line = f"{value.original}: {'cancelled' if value.cancelled else moved}"
        case _:
            line = value
    return "".join(
        c if unicodedata.category(c)[0] != "C" else c.encode("unicode_escape").decode()
        for c in line
    )
