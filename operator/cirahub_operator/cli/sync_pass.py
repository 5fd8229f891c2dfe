"""`cirahub pass`: one pass over the hubs of some manifests, without any cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from cirahub_operator.approvals import counted
from cirahub_operator.cli.leavers import told, waits
from cirahub_operator.cli.output import as_json, output_option
from cirahub_operator.cli.session import Case, Exit, Options, options, run
from cirahub_operator.cli.table import table
from cirahub_sync.configuration import SpokeConfig
from cirahub_sync.engine.report import PassReport, SetReport, SpokeReport
from cirahub_sync.worker import Progress, Worker

HEADINGS = (
    "SPOKE",
    "PULLED",
    "CREATED",
    "UPDATED",
    "DELETED",
    "PENDING",
    "ITEMS",
    "COPIES",
    "STATE",
)


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@options
@click.option(
    "--approve",
    multiple=True,
    metavar="ID",
    help="Let go what an earlier pass held back under this id: a plan, the next stage of a first "
    "sync, or too many deletions.",
)
@output_option("A table for people, or a report a hub as a JSON list.")
def command(*, approve: tuple[str, ...], output: str, **given: object) -> None:
    """Run one pass over the hubs in manifests, without any cluster.

    The same engine as the operator's, with the same result: it reads what changed in the
    contributing mailboxes, merges it, and brings it to the receiving ones. What it knows is kept
    in a store, so that the next pass finds only changes.

    Exit codes: 0 all spokes are in sync; 1 something failed; 2 wrong options or manifests, nothing
    was done; 3 something is held back and waits for --approve.
    """
    chosen = Options(**given)  # type: ignore[arg-type]

    async def one(worker: Worker, case: Case, progress: Progress) -> PassReport:
        if case.hub.spec.suspend:
            progress(f"Hub {case.hub.metadata.key} is suspended for the operator; passing anyway")
        spokes = list(case.resolution.spokes.values())
        sets = list(case.resolution.sets.values())
        report = await worker.run_pass(
            case.resolution.hub, spokes, sets=sets, approved=_digests(approve), progress=progress
        )
        if sets:
            await _erase_members(worker, case, spokes, progress)
        return report

    reports = run(chosen, one)
    if output == "json":
        click.echo(as_json(reports))
    else:
        for report in reports:
            click.echo("\n".join(summary(report)))
    code = exit_code(reports)
    if code is Exit.OK and any(report.plan or report.stages for report in reports):
        code = Exit.GUARDED
    sys.exit(code)


async def _erase_members(
    worker: Worker, case: Case, spokes: Sequence[SpokeConfig], progress: Progress
) -> None:
    """Who left a set and has had their grace: where there is no operator, nobody else does it."""
    hub = case.resolution.hub.uid
    connections = [one.template.connection for one in case.resolution.sets.values()]
    for job in await worker.erasures():
        if job.set and job.hub == hub and not waits(job):
            erased = await worker.erase(
                job.id, spokes=spokes, connections=connections, progress=progress
            )
            progress("; ".join(told(job, erased, abandoned=False)))


def _digests(approve: Sequence[str]) -> frozenset[str]:
    return frozenset(digest for given in approve for digest in given.split(",") if digest)


def exit_code(reports: Sequence[PassReport]) -> Exit:
    if any(
        report.problem or any(one.problem or _failing(one) for one in report.everywhere)
        for report in reports
    ):
        return Exit.FAILED
    if any(guarded(report) for report in reports):
        return Exit.GUARDED
    return Exit.OK


def _failing(one: SpokeReport | SetReport) -> bool:
    return isinstance(one, SetReport) and bool(one.failed)


def guarded(report: PassReport) -> bool:
    emptied = any(one.source_emptied for one in report.spokes.values())
    held = any(one.held or one.sources_emptied for one in report.sets.values())
    return bool(report.guarded) or emptied or held


def summary(report: PassReport) -> list[str]:
    """The report for people."""
    took = max(0.0, report.finished - report.started)
    lines = [f"Hub {report.hub}: {report.items} items, {took:.1f} s"]
    if report.problem is not None:
        return [*lines, f"  {report.problem.reason}: {report.problem.message}"]
    rows = [_row(one) for one in sorted(report.spokes.values(), key=lambda spoke: spoke.name)]
    lines += [f"  {line}" for line in table(HEADINGS, rows)]
    for one in report.spokes.values():
        if one.problem is not None:
            lines.append(f"  {one.name}: {one.problem.reason}: {one.problem.message}")
        elif one.source_emptied:
            lines.append(f"  {one.name}: suddenly reads empty; nothing was deleted because of that")
    lines += [f"  {line}" for one in report.sets.values() for line in _set_lines(one)]
    if report.guarded:
        lines.append(
            f"  {report.guarded} deletions are held back; if they are meant, add "
            f"--approve {report.approval}"
        )
    if report.plan is not None:
        plan = report.plan
        lines.append(
            f"  {plan.creates} to create, {plan.updates} to update, {plan.deletes} to delete wait; "
            f"see cirahub plan, and let them go with --approve {plan.id}"
        )
    lines += [f"  {line}" for line in stages(report)]
    if report.undecided:
        lines.append(
            f"  {report.undecided} conflicts in {report.disputed} items wait for a decision; see "
            "cirahub conflicts list"
        )
    if report.duplicates:
        lines.append(
            f"  {report.duplicates} items have a key in common with another and stay apart; see "
            "cirahub duplicates list"
        )
    return lines


def _set_lines(one: SetReport) -> list[str]:
    states = ", ".join(f"{count} {state.lower()}" for state, count in sorted(one.states.items()))
    counts = one.counts
    done = (
        f"{counts.created} created, {counts.updated} updated, {counts.deleted} deleted, "
        f"{counts.pending} pending, {counts.copies} copies"
    )
    lines = [f"SpokeSet {one.name}: {one.total} members ({states or 'none'}); {done}"]
    if one.problem is not None:
        lines.append(f"SpokeSet {one.name}: {one.problem.reason}: {one.problem.message}")
    if one.reasons:
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(one.reasons.items()))
        lines.append(f"SpokeSet {one.name}: {told}; who they are: cirahub members {one.name}")
    if one.held:
        lines.append(
            f"SpokeSet {one.name}: {one.held} members are gone, too many at once, and nobody "
            f"leaves; if they are meant to, add --approve {one.approval}"
        )
    return lines


def stages(report: PassReport) -> list[str]:
    """First syncs that wait, and how to let them on."""
    return [
        f"{name}: first sync, {counted(stage)}; look at them, and let "
        f"{f'up to {stage.next}' if stage.next else 'the rest'} in with --approve {stage.id}"
        for name, stage in sorted(report.stages.items())
    ]


def _row(spoke: SpokeReport) -> tuple[str | int, ...]:
    counts = spoke.counts
    if spoke.problem is not None:
        state = spoke.problem.reason
    elif spoke.guarded or spoke.source_emptied:
        state = "DeletionGuarded"
    else:
        state = "Ready"
    return (
        spoke.name.rpartition("/")[2],
        counts.pulled,
        counts.created,
        counts.updated,
        counts.deleted,
        counts.pending,
        counts.items,
        counts.copies,
        state,
    )
