"""`cirahub approve`: let go what waits for a person, a plan or the next stage of a first sync."""

from __future__ import annotations

import asyncio
import time

import click

from cirahub_operator.cli import access, session
from cirahub_sync.approvals import ApprovedStage
from cirahub_sync.engine.report import PlanSummary
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.worker import Worker

LOOK_SECONDS = 1.0
"""Between two looks at whether a pass has ended."""


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.argument("approval", metavar="ID")
@session.wait_option()
@session.store_options
def command(*, approval: str, wait: float, **given: object) -> None:
    """Approve a plan, or the next stage of a first sync, where the store is; the next pass makes
    its writes.

    ID is what `cirahub plan`, `cirahub pass` or the Hub's status show. Of a plan it stands for what
    you have seen: what has changed since waits in the next plan. Of a stage it lets in as many
    items as that allows. Where Kubernetes is, the annotation cirahub.io/approve does the same, and
    has the pass follow at once.

    Exit codes: 0 approved; 1 the store can't be written, or a pass did not end in time; 2 wrong
    options, or nothing waits under this id (any more).
    """

    async def approve(worker: Worker) -> tuple[str, PlanSummary | ApprovedStage]:
        until = time.monotonic() + wait
        while True:
            try:
                return await worker.approve(approval)
            except LeaseHeldError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(LOOK_SECONDS)

    hub, found = access.run(given, approve)
    if isinstance(found, ApprovedStage):
        more = f"up to {found.stage.next} items" if found.stage.next else "all items"
        click.echo(
            f"Approved the next stage of the first sync of Spoke {found.spoke} of Hub {hub}: the "
            f"next pass lets {more} in."
        )
        return
    click.echo(
        f"Approved plan {found.id} of Hub {hub}: {found.creates} to create, {found.updates} to "
        f"update, {found.deletes} to delete; the next pass writes what is unchanged by then."
    )
