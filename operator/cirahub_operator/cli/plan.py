"""`cirahub plan`: what a pass would write, without writing it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

import click

from cirahub_operator.cli.output import as_json, output_option
from cirahub_operator.cli.session import Case, Exit, Options, options, run
from cirahub_operator.cli.sync_pass import exit_code, stages
from cirahub_operator.cli.table import table
from cirahub_sync.engine.adopted import Adoption
from cirahub_sync.planned import PlannedAction, PlanReport
from cirahub_sync.worker import Progress, Worker

ADOPTIONS = ("SPOKE", "CONTACT", "OUTCOME", "ITEM", "OTHERS")
HEADINGS = ("SPOKE", "ACTION", "ITEM", "FIELDS", "HELD", "ENTRY")


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@options
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 4 when there is something to do.",
)
@output_option("Tables for people, or a plan a hub as a JSON list.")
def command(*, detailed_exitcode: bool, output: str, **given: object) -> None:
    """Show what a pass would write to which spoke, and write nothing there.

    Contributing mailboxes are read and merged into the store, as in a pass; photos are not, and no
    plan shows them. Items are shown by their ids in the hub, never by their content. An entry's id
    stays for as long as the item, and what the spoke has of it, are what they are; the plan's id is
    what to approve where the Hub has `approval: Manual`.

    Of contributing Spokes that the store has not read before, it says what becomes of each contact:
    adopted, as an item that another contact founded; ambiguous, by itself since its key is that of
    several; or new. What a plan has merged stays merged: to look first, and choose `adopt: Never`
    for a Spoke after that, make the plan with a --database of its own.

    Exit codes: 0 the plan is made; 1 something could not be read; 2 wrong options or manifests,
    nothing was done; 3 the plan has deletions that would be held back; 4 with --detailed-exitcode,
    there is something to do.
    """
    chosen = Options(**given)  # type: ignore[arg-type]

    async def one(worker: Worker, case: Case, progress: Progress) -> PlanReport:
        return await worker.plan(
            case.resolution.hub,
            list(case.resolution.spokes.values()),
            sets=list(case.resolution.sets.values()),
            progress=progress,
        )

    plans = run(chosen, one)
    if output == "json":
        click.echo(as_json(plans))
    else:
        for plan in plans:
            click.echo("\n".join(summary(plan)))
    code = exit_code([plan.report for plan in plans])
    if code is Exit.OK and detailed_exitcode and any(_due(plan) for plan in plans):
        code = Exit.CHANGES
    sys.exit(code)


def summary(plan: PlanReport) -> list[str]:
    """The plan for people: a line for each action, and how many there are of which."""
    report = plan.report
    lines = [f"Hub {report.hub}: {report.items} items"]
    if report.problem is not None:
        return [*lines, f"  {report.problem.reason}: {report.problem.message}"]
    lines += [
        f"  {spoke.name}: {spoke.problem.reason}: {spoke.problem.message}"
        for spoke in report.everywhere
        if spoke.problem is not None
    ]
    rows = [
        (one.spoke, one.action, one.item, ", ".join(one.fields), one.held, one.id)
        for one in plan.actions
    ]
    if rows:
        lines += [f"  {line}" for line in table(HEADINGS, rows)]
    lines += _adopted(plan.adoptions)
    lines += [f"  {line}" for line in stages(report)]
    counts = Counter(one.action for one in _due(plan))
    held = sum(bool(one.held) for one in plan.actions)
    total = ", ".join(f"{counts[action]} to {action}" for action in ("create", "update", "delete"))
    name = "" if report.plan is None else f"plan {report.plan.id}: "
    return [*lines, f"  {name}{total}, {held} held back"]


def _adopted(adoptions: Sequence[Adoption]) -> list[str]:
    """How many of whose contacts, and which of them are not just new."""
    lines: list[str] = []
    for spoke in sorted({one.spoke for one in adoptions}):
        counts = Counter(one.outcome for one in adoptions if one.spoke == spoke)
        lines.append(
            f"  {spoke}, at first sight: {counts['adopted']} adopted, "
            f"{counts['ambiguous']} ambiguous, {counts['new']} new"
        )
    rows = [
        (one.spoke, one.contact, one.outcome, one.item, ", ".join(one.others))
        for one in adoptions
        if one.outcome != "new"
    ]
    return [*lines, *(f"  {line}" for line in table(ADOPTIONS, rows))] if rows else lines


def _due(plan: PlanReport) -> Sequence[PlannedAction]:
    return [one for one in plan.actions if not one.held]
