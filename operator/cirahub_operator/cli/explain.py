"""`cirahub explain`: why somebody is, is not, or is otherwise in a mailbox."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from cirahub_operator.cli import access, session
from cirahub_operator.cli.conflicts import DECIDED, text
from cirahub_operator.cli.leavers import date
from cirahub_operator.cli.manifests import ManifestError
from cirahub_operator.cli.output import as_json, output_option
from cirahub_operator.cli.session import Exit
from cirahub_operator.cli.table import table
from cirahub_sync.explain import (
    Answer,
    Explanation,
    Given,
    KeptOut,
    ToldConflict,
    ToldField,
    ToldFilter,
    ToldSpoke,
)
from cirahub_sync.worker import Worker

WHY = {
    "NotReceiving": "receives nothing: its direction is Contribute",
    "Invalid": "can't be judged: its configuration is not valid",
    "Missing": "is to get a copy",
    "Outdated": "has it, in an older state",
    "Current": "has it as it is to be",
    "Detached": "has not got it: its user deleted it there, which is remembered",
    "Unshowable": "is not to have it: it lacks what can't be left out there, in an address list an "
    "e-mail address",
    "FilteredOut": "is not to have it: the filter of what it receives keeps it out",
    "Unjudged": "stays as it is: its filter can't be judged for the item",
    "Deleted": "is not to have it any more: nobody contributes it",
    "Orphaned": "keeps its copy: not every source has been read whole yet",
    "ReadOnlyAtSource": "has an event with attendees, which is not written to",
    "OutsideWindow": "gets it when it comes into the hub's window",
    "OwnItem": "has an item of its user's own, which is left alone",
    "Blank": "gets nothing: its mapping leaves no field of the item",
}
DIFFERS = {
    "Withheld": "does not pass",
    "Mapped": "is changed by the mapping",
    "LeftToUser": "is left to the mailbox's user",
    "Frozen": "is frozen, and not written there",
    "Limited": "is not shown whole",
}


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.argument("contact")
@click.option(
    "--filename",
    "-f",
    "files",
    multiple=True,
    metavar="FILE|FOLDER|-",
    help="Judge by these manifests; may be repeated. Default: as in each hub's last pass.",
)
@click.option(
    "--hub",
    "hubs",
    multiple=True,
    metavar="NAME",
    help="Only in this Hub (NAME or NAMESPACE/NAME); may be repeated.",
)
@click.option(
    "--spoke",
    "spokes",
    multiple=True,
    metavar="NAME",
    help="Only this Spoke (NAME or NAMESPACE/NAME); may be repeated.",
)
@click.option("--values", is_flag=True, help="Show values too: personal data, for your eyes.")
@output_option()
@session.store_options
def command(
    *,
    contact: str,
    files: tuple[str, ...],
    hubs: tuple[str, ...],
    spokes: tuple[str, ...],
    values: bool,
    output: str,
    **options: object,
) -> None:
    """Say why somebody is, is not, or is otherwise in a mailbox.

    CONTACT is an item's id in the hub (as plans and conditions show it), the id that a mailbox has
    for it, or the value of a key by which the hub matches: an e-mail address, a phone number, a
    custom field's value, or "NAME, COMPANY"; of an event, its iCalendar UID.

    The store is read as the last pass left it, and no mailbox is asked. A pass may run meanwhile.

    Exit codes: 0 explained; 1 the store can't be read; 2 wrong options or manifests, or nothing is
    known of CONTACT.
    """
    given = _given(files, options) if files else None

    async def explain(worker: Worker) -> Answer:
        return await worker.explain(contact, hubs=hubs, spokes=spokes, given=given, values=values)

    answer = access.run(options, explain)
    if output == "json":
        click.echo(as_json(answer))
    else:
        click.echo("\n".join(told(answer)))
    known = answer.found or any(one.remote for one in answer.kept_out)
    sys.exit(Exit.OK if known else Exit.BAD_INPUT)


def _given(files: tuple[str, ...], options: dict[str, object]) -> Given:
    chosen = session.Options(files=files, hubs=(), init_key=False, **options)  # type: ignore[arg-type]
    try:
        found, _ = session.cases(chosen.files, chosen.hubs, quiet=chosen.quiet)
    except ManifestError as error:
        access.refuse("\nError: ".join(error.mistakes))
        raise
    return [(one.resolution.hub, list(one.resolution.spokes.values())) for one in found]


def told(answer: Answer) -> list[str]:
    """For people."""
    lines = [line for one in answer.found for line in _explained(one)]
    lines += [_kept_out(one) for one in answer.kept_out]
    if not answer.found and not any(one.remote for one in answer.kept_out):
        keys = ", ".join(answer.matched_on) or "none: the store has no such hub"
        lines.insert(
            0,
            "Nothing is known by this id or value. People are found by the keys of matchOn "
            f"({keys}), by an item's id, and by the id that a mailbox has for it.",
        )
    return lines


def _kept_out(one: KeptOut) -> str:
    if one.remote:
        return (
            f"Spoke {one.spoke} has it, and the filter of what it contributes keeps it out of Hub "
            f"{one.hub}; nothing of it is kept here"
        )
    return (
        f"The filter of what Spoke {one.spoke} contributes keeps {one.count} items out of Hub "
        f"{one.hub}, of which nothing is kept: ask by the id that the mailbox has for it"
    )


def _explained(one: Explanation) -> list[str]:
    lines = [f"Item {one.item} in Hub {one.hub}: {_state(one)}"]
    lines.append(f"  as of the pass that ended at {date(one.pass_at)}")
    lines.append("  Where it comes from:")
    for source in one.sources:
        kind = "native" if source.native else "copy"
        if not source.admitted:
            how = "kept out by the filter of contributes, so nothing of it is kept"
        elif source.native:
            how = f"counts{_by(source.filter)}"
        else:
            how = f"{source.own_edits} edits of its user's count"
        if source.put_back:
            how += "; a person put it back to an earlier moment"
        if source.gives_photo:
            how += "; the item's photo is from here"
        lines.append(f"    {source.spoke}: {kind}, {how}")
    if not one.sources:
        lines.append("    nobody contributes it")
    if one.fields:
        lines.append("  Whose word stands:")
        rows = [_field(field) for field in one.fields]
        headings = ("FIELD", "SPOKE", "RULE", "SAID", "VALUE")[: len(rows[0])]
        lines += [f"    {line}" for line in table(headings, rows)]
    lines += [f"  {line}" for line in _conflicts(one.conflicts)]
    for spoke in one.spokes:
        lines += [f"  {line}" for line in _spoke(spoke, one)]
    return lines


def _state(one: Explanation) -> str:
    if one.alive:
        return f"alive, last changed by seq {one.seq}"
    if one.deleted_at is None:
        return "known by copies only; who contributes it has not been read yet"
    of = f", the last contribution by the user of {one.died_of}" if one.died_of else ""
    return f"deleted at {date(one.deleted_at)}{of}"


def _field(one: ToldField) -> tuple[str, ...]:
    name = f"{one.field}[{one.element}]" if one.element else one.field
    rule = one.rule + (", tie: rank decided" if one.tie else "")
    if one.lists:
        rule += f" ({one.lists})"
    said = () if one.value is None else (text(one.value),)
    return (name, one.spoke or DECIDED, rule, date(one.at), *said)


def _conflicts(found: Sequence[ToldConflict]) -> list[str]:
    lines = []
    for one in found:
        value = "" if one.value is None else f": {text(one.value)}"
        winner, loser = one.winner or DECIDED, one.loser or DECIDED
        if one.frozen:
            lines.append(
                f"Conflict {one.id} waits for a person: {one.field} is frozen, since "
                f"{' and '.join(one.frozen)} kept changing it back and forth; {loser} says "
                f"otherwise{value}"
            )
        elif one.id:
            lines.append(
                f"Conflict {one.id} waits for a person: {one.field}, {winner} (stands) and "
                f"{loser}{value}"
            )
        else:
            tie = ", a tie" if one.tie else ""
            lines.append(
                f"Recorded conflict of {one.field} at {date(one.recorded_at)}: {loser} lost to "
                f"{winner}{tie}{value}"
            )
    return lines


def _spoke(one: ToldSpoke, item: Explanation) -> list[str]:
    lines = [f"Spoke {one.spoke} ({one.direction}): {WHY[one.why]}"]
    if one.filter is not None:
        verb = "admits it" if one.filter.admits else "keeps it out"
        lines.append(f"its filter of receives {verb}{_by(one.filter)}")
    if (known := one.delivery) is not None and not known.detached:
        kind = "its own item" if known.native else "a copy of ours"
        behind = "" if known.delivered_seq >= item.seq else f", the item is at {item.seq}"
        lines.append(f"it holds {kind}, delivered at seq {known.delivered_seq}{behind}")
    if one.why == "Detached":
        lines.append(
            f"onUserDelete is {one.on_user_delete}; the item comes back when it is Restore"
        )
    if one.action:
        fields = f" ({', '.join(one.changes)})" if one.changes else ""
        lines.append(f"to do: {one.action}{fields}")
    if one.wait_until:
        lines.append(f"its grace period ends at {date(one.wait_until)}")
    if (waits := one.pending) is not None:
        error = f", the service answered {waits.error}" if waits.error else ""
        tried = f" after {waits.attempts} attempts" if waits.attempts else ""
        if one.stage:
            lines.append(f"waits for stage {one.stage} of the mailbox's first sync")
        else:
            lines.append(f"waits: {waits.reason} until {date(waits.due_at)}{tried}{error}")
    if one.approval and one.stage:
        lines.append(f"the next stage waits for an approval of {one.approval}")
    elif one.approval:
        lines.append(f"the guard holds it back; approve with {one.approval}")
    lines += [f"a {action} was sent and not answered" for action in one.unanswered]
    if not one.considered:
        lines.append("no pass has considered it there since it changed last")
    for differs in one.differences:
        by = f" ({', '.join(differs.by)})" if differs.by else ""
        most = f": no room for {differs.missing}" if differs.missing else ""
        lines.append(f"{differs.field} {DIFFERS[differs.why]}{by}{most}")
    if one.source_emptied:
        lines.append("it suddenly read empty in the last pass; nothing was inferred from that")
    if one.problem:
        lines.append(f"it had a problem in the last pass: {one.problem}: {one.message}")
    return [lines[0], *(f"  {line}" for line in lines[1:])]


def _by(found: ToldFilter | None) -> str:
    if found is None or not (found.decided_by or found.unjudged):
        return ""
    if found.unjudged and found.decided_by == "expression":
        return " (its `expression` can't be evaluated for it)"
    if found.unjudged:
        return f" ({found.condition}: the group was never read)"
    if found.decided_by == "expression":
        return f" (its `expression` {'holds' if found.admits else 'does not hold'})"
    if not found.condition:
        return f" (none of its `{found.decided_by}` holds)"
    verb = "does not hold" if found.decided_by == "all" else "holds"
    groups = f": {', '.join(found.groups)}" if found.groups else ""
    return f" (`{found.decided_by}`: {found.condition} {verb}{groups})"
