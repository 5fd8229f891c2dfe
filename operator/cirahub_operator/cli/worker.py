"""`cirahub worker`: a shard of a pass, in a pod of the Job that the operator made for it.

It ends when the shard is settled, whoever settled it. What it can't do is left to the next attempt,
which the Job starts; how many there are is counted in the store.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import sys
from enum import IntEnum
from pathlib import Path

import click

from cirahub_operator import frugality, logs
from cirahub_operator.cli.engine_options import engine_options, loaded, process_options
from cirahub_operator.credentials import ClusterCredentials
from cirahub_operator.errors import OperatorError
from cirahub_operator.logs import LogFormat
from cirahub_sync.engine.report import Problem
from cirahub_sync.engine.shard import Errand
from cirahub_sync.errors import CirahubError, LeaseLostError
from cirahub_sync.identity.base import CredentialSource
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.store.shards import ShardKey
from cirahub_sync.worker import Worker, WorkerSettings

logger = logging.getLogger(__name__)

INDEX = "JOB_COMPLETION_INDEX"
"""https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode"""


class Exit(IntEnum):
    SETTLED = 0
    """The shard is settled, or nobody wants it any more."""
    FAILED = 1
    """It could not begin, or the database went away."""
    BAD_INPUT = 2
    """Trying the same again won't help."""
    GIVEN_BACK = 3
    """The next attempt goes on with it."""


class Parts(click.ParamType[range]):
    """`A-B`, or a single one."""

    name = "A-B"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> range:
        found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", str(value))
        first, last = (0, -1) if found is None else (int(found[1]), int(found[2] or found[1]))
        if last < first:
            self.fail(f"{value!r}: write the first and the last part, like 0-7", param, ctx)
        return range(first, last + 1)


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.option("--hub", required=True, metavar="UID", help="The hub, by its uid in the store.")
@click.option(
    "--pass",
    "number",
    type=click.IntRange(1),
    required=True,
    metavar="N",
    help="The number of the pass that the shard belongs to.",
)
@click.option(
    "--errand",
    type=click.Choice([errand.value for errand in Errand]),
    required=True,
    help="What is to be done at the shard's mailboxes: read what changed there, deliver to them, "
    "or delete there what the guard let go.",
)
@click.option(
    "--parts",
    type=Parts(),
    required=True,
    help="The parts of the errand that the Job is for; its index says which of them is ours.",
)
@click.option(
    "--index",
    type=click.IntRange(0),
    required=True,
    envvar=INDEX,
    show_envvar=True,
    metavar="I",
    help="Which of the parts, from 0.",
)
@engine_options
@click.option(
    "--installation-id",
    required=True,
    envvar="CIRAHUB_INSTALLATION_ID",
    show_envvar=True,
    help="Who we are in the marks on our copies: what the operator says it is.",
)
@process_options
def command(
    *,
    hub: str,
    number: int,
    errand: str,
    parts: range,
    index: int,
    database: str,
    key_file: Path,
    installation_id: str,
    endpoints: Path | None,
    cluster_ranges: tuple[str, ...],
    hub_lease: float,
    kubeconfig: Path | None,
    log_format: str,
    debug: bool,
) -> None:
    """Work on one shard of a pass that an operator coordinates.

    The operator starts it, in the pods of Jobs, for Hubs with `runner: Job`. It opens the same
    store by the same key, takes its shard, does what is asked for there, and ends. Told to stop
    (SIGTERM), it gives the shard back. Two on one shard do no harm: one waits for the other.

    Exit codes: 0 the shard is settled, or its pass is over and nobody wants it any more; 1 the
    store or the cluster could not be reached; 2 wrong options; 3 the shard was given back, and the
    next attempt goes on with it.
    """
    if index >= len(parts):
        raise click.UsageError(
            f"--index {index}: --parts has {len(parts)} parts, so the last index is "
            f"{len(parts) - 1}"
        )
    settings = WorkerSettings(
        database=database,
        key_file=key_file,
        installation=installation_id,
        origins=loaded(endpoints).avoiding(cluster_ranges),
        lease=LeaseTerms(seconds=hub_lease),
    )
    if kubeconfig is not None:
        os.environ["KUBECONFIG"] = str(kubeconfig)
    frugality.without_terminals()
    frugality.give_back()
    logs.set_up(LogFormat(log_format), debug=debug)
    key = ShardKey(number, errand, parts[index])
    try:
        ended = asyncio.run(_work(settings, hub, key))
    except (OperatorError, CirahubError) as error:
        click.echo(f"Error: {error}", err=True)
        ended = Exit.FAILED
    sys.exit(ended)


async def _work(settings: WorkerSettings, hub: str, key: ShardKey) -> Exit:
    credentials = await ClusterCredentials.connect()
    try:
        return await work(settings, hub, key, credentials)
    finally:
        await credentials.close()


async def work(
    settings: WorkerSettings, hub: str, key: ShardKey, credentials: CredentialSource
) -> Exit:
    """Raises CirahubError when the store can't be used."""
    worker = Worker.open(settings, credentials)
    attempt = asyncio.ensure_future(_attempt(worker, hub, key, settings.lease.renewal))
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, attempt.cancel)
    what = f"hub {hub}: errand {key.errand}, part {key.part} of pass {key.number}"
    try:
        problem = await attempt
    except LeaseLostError as error:
        logger.info("%s", error)
        return Exit.SETTLED
    except asyncio.CancelledError:
        logger.info("%s: told to stop; the next attempt goes on with it", what)
        return Exit.GIVEN_BACK
    finally:
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(signum)
        await worker.close()
    if problem is not None:
        logger.warning("%s: given back: %s: %s", what, problem.reason, problem.message)
        return Exit.GIVEN_BACK
    logger.info("%s: settled", what)
    return Exit.SETTLED


async def _attempt(worker: Worker, hub: str, key: ShardKey, look: float) -> Problem | None:
    """Takes the shard as soon as nobody else has it; looked at every `look` seconds. One that was
    lost is looked at again: to end well while another works on it would end that one, too, whose
    index would count as complete."""
    lost = False
    while True:
        try:
            return await worker.work_shard(hub, key)
        except LeaseHeldError as error:
            logger.info("%s", error)
            lost = False
            await asyncio.sleep(min(error.retry_after, look))
        except LeaseLostError:
            if lost:
                raise
            lost = True
