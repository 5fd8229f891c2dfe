"""`cirahub members`: who is in a SpokeSet, and how each of them is; personal data."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from cirahub_operator.cli import access, session
from cirahub_operator.cli.leavers import date
from cirahub_operator.cli.output import as_json, output_option
from cirahub_operator.cli.table import table
from cirahub_sync.spoke_set import MemberState, ToldMember
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.worker import Worker

HEADINGS = ("SPOKESET", "MEMBER", "STATE", "ADDRESSES", "WHY")


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.argument("name", default="", metavar="[SPOKESET]")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in MemberState], case_sensitive=False),
    help="Only members in this state; may be repeated.",
)
@click.option(
    "--retry",
    multiple=True,
    metavar="MEMBER",
    help="Have this member tried again by the next pass; may be repeated.",
)
@click.option(
    "--suspend",
    multiple=True,
    metavar="MEMBER",
    help="Leave this member as it is until it is resumed; may be repeated.",
)
@click.option(
    "--resume", multiple=True, metavar="MEMBER", help="Sync this member again; may be repeated."
)
@output_option()
@session.store_options
def command(
    *,
    name: str,
    states: tuple[str, ...],
    retry: tuple[str, ...],
    suspend: tuple[str, ...],
    resume: tuple[str, ...],
    output: str,
    **given: object,
) -> None:
    """Show the members of a SpokeSet, with their addresses, as the last pass left them.

    SPOKESET is NAME or NAMESPACE/NAME; without one, the members of all are shown. MEMBER is an id
    as the SpokeSet's status shows it, or an address. Run it where the store and its key are.

    Exit codes: 0 shown, or done; 1 the store can't be read, has no such SpokeSet or member, or a
    pass is under way; 2 wrong options.
    """
    tended = retry or suspend or resume
    if tended and not name:
        raise click.UsageError("say which SPOKESET the members are of")

    async def work(worker: Worker) -> Sequence[ToldMember]:
        told: list[ToldMember] = []
        for ids, suspended in ((retry, None), (suspend, True), (resume, False)):
            if ids:
                try:
                    told += await worker.tend_members(name, ids, suspend=suspended)
                except LeaseHeldError as error:
                    raise click.ClickException(f"{error}; try again when it has ended") from error
        return told if tended else await worker.members(name)

    found = access.run(given, work)
    if states:
        wanted = {state.casefold() for state in states}
        found = [one for one in found if one.state.casefold() in wanted]
    if output == "json":
        click.echo(as_json(found))
    elif found:
        click.echo("\n".join(table(HEADINGS, [_row(one) for one in found])))
    else:
        click.echo("No members.")


def _row(one: ToldMember) -> tuple[str, ...]:
    why = f"{one.reason}: {one.message}" if one.message else one.reason
    if one.retry_at > time.time():
        why += f"; tried again from {date(one.retry_at)} on"
    return one.set, one.id, one.state.value, ", ".join(one.addresses), why
