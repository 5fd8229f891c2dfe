"""`cirahub duplicates`: items of a hub that have a key in common and are not one."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from cirahub_operator.cli import access, session
from cirahub_operator.cli.conflicts import SETTINGS, text
from cirahub_operator.cli.output import as_json, output_option
from cirahub_operator.cli.table import table
from cirahub_sync.duplicates import Twin, Twins
from cirahub_sync.model.contact import FIELDS
from cirahub_sync.model.field_names import manifest_name

HEADINGS = ("DUPLICATES", "HUB", "ITEM", "SPOKES", "INSIDE")


class ShownItem(msgspec.Struct, frozen=True):
    item: str
    spokes: Sequence[str]
    content: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET


class Shown(msgspec.Struct, frozen=True):
    """Duplicates as JSON; content only where it was asked for."""

    id: str
    hub: str
    inside: Sequence[str]
    items: Sequence[ShownItem]


@click.group()
def command() -> None:
    """See which contacts may be the same person, and are not merged.

    Items of a hub that have a key of `matchOn` in common: one that matched several at first sight
    and so stays by itself, a contact that a mailbox has twice, or one that was changed later. The
    store knows them as of the last pass. `cirahub merge` makes two of them one.
    """


@command.command("list", context_settings=SETTINGS)
@session.hubs_option
@output_option()
@session.store_options
def listing(*, hubs: tuple[str, ...], output: str, **given: object) -> None:
    """Show which items have a key in common, and who contributes them, without any content. INSIDE
    names Spokes whose mailbox has several of them.

    Exit codes: 0 they are shown, be they none; 1 the store can't be read; 2 wrong options.
    """
    found = access.run(given, lambda worker: worker.duplicates())
    chosen = [one for one in found if not hubs or one.hub in hubs]
    if output == "json":
        click.echo(as_json([_shown(one, content=False) for one in chosen]))
    elif chosen:
        rows = [row for one in chosen for row in _rows(one)]
        click.echo("\n".join(table(HEADINGS, rows)))
    else:
        click.echo("No items have a key in common.")


@command.command(context_settings=SETTINGS)
@click.argument("duplicates")
@output_option()
@session.store_options
def show(*, duplicates: str, output: str, **given: object) -> None:
    """Show some duplicates with what each item holds: personal data, for your eyes.

    Exit codes: 0 they are shown; 1 the store can't be read; 2 wrong options, or no such duplicates.
    """
    found = access.run(given, lambda worker: worker.duplicates())
    one = next((one for one in found if one.id == duplicates), None)
    if one is None:
        access.refuse(
            f"there are no duplicates {duplicates} (any more); see cirahub duplicates list"
        )
    elif output == "json":
        click.echo(as_json(_shown(one, content=True)))
    else:
        click.echo("\n".join(_told(one)))


def _rows(one: Twins) -> list[tuple[str, ...]]:
    return [
        (one.id, one.hub, twin.item, ", ".join(twin.spokes), ", ".join(one.inside))
        for twin in one.items
    ]


def _told(one: Twins) -> list[str]:
    lines = [f"Duplicates {one.id} in Hub {one.hub}"]
    for twin in one.items:
        lines.append(f"  Item {twin.item}, of {', '.join(twin.spokes) or 'nobody'}")
        lines += [f"    {name}: {'; '.join(values)}" for name, values in _content(twin).items()]
    return lines


def _shown(one: Twins, *, content: bool) -> Shown:
    return Shown(
        one.id,
        one.hub,
        one.inside,
        [
            ShownItem(twin.item, twin.spokes, _content(twin) if content else msgspec.UNSET)
            for twin in one.items
        ],
    )


def _content(twin: Twin) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for field in FIELDS:
        value = getattr(twin.content, field)
        if value:
            values = [value] if isinstance(value, str) else value
            found[manifest_name(field)] = [text(one) for one in values]
    return found
