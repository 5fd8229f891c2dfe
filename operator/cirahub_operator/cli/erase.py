"""`cirahub erase`: what leaves, and its erasure: look at it, have it done, or give up on it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import click
import msgspec

from cirahub_operator.cli import cluster_ranges as ranges
from cirahub_operator.cli import session, store
from cirahub_operator.cli.files import FileCredentials
from cirahub_operator.cli.leavers import date, kind, shown, told, waits
from cirahub_operator.cli.manifests import ManifestError
from cirahub_operator.cli.output import output_option
from cirahub_operator.cli.session import FILE, Case, Exit, Options
from cirahub_operator.cluster import Cluster
from cirahub_operator.credentials import ClusterCredentials
from cirahub_operator.errors import OperatorError
from cirahub_operator.service_ranges import service_ranges
from cirahub_sync import origins
from cirahub_sync.configuration import ConnectionConfig, SpokeConfig
from cirahub_sync.erasure import Erasure, ErasureReport
from cirahub_sync.errors import CirahubError
from cirahub_sync.identity.base import CredentialSource
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.worker import Worker, WorkerSettings

_LOOK_SECONDS = 2.0
"""Between two looks at whether another pass has ended."""


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, and with what."""

    names: tuple[str, ...]
    abandon: bool
    now: bool
    spokes: tuple[str, ...]
    whole_hubs: tuple[str, ...]
    wait: float
    cases: tuple[Case, ...] = ()
    quiet: bool = False

    def say(self, line: str) -> None:
        if not self.quiet:
            click.echo(line, err=True)


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--list", "listing", is_flag=True, help="Show what leaves, and change nothing.")
@click.option(
    "--resume",
    is_flag=True,
    help="Attempt the erasures that are due (of these NAMEs, or all) now, not at the operator's "
    "next try.",
)
@click.option(
    "--now",
    is_flag=True,
    help="As --resume, also for those of the NAMEs whose grace period is not over. There is no way "
    "back then.",
)
@click.option(
    "--abandon",
    is_flag=True,
    help="Give up on what of these NAMEs can't be reached: what is kept here goes, what is out "
    "there stays, and is counted in the receipt.",
)
@click.option(
    "--spoke",
    "spokes",
    multiple=True,
    metavar="NAME",
    help="With --filename: erase now what this Spoke of the manifests contributed; may be "
    "repeated.",
)
@click.option(
    "--hub",
    "whole_hubs",
    multiple=True,
    metavar="NAME",
    help="With --filename: erase now this whole Hub of the manifests; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Don't ask whether --now, --abandon and so on are meant.")
@session.wait_option("10m")
@output_option("With --list: a table for people, or JSON.")
@click.option(
    "--filename",
    "-f",
    "files",
    multiple=True,
    metavar="FILE|FOLDER|-",
    help="Manifests of the Connections (and Secrets) to sign in with; may be repeated. Without "
    "any, the cluster hands over what the Connections name.",
)
@session.store_options
@ranges.option
@click.option(
    "--kubeconfig",
    type=FILE,
    help="Kubeconfig of the cluster, outside of one. Default: KUBECONFIG, or ~/.kube/config.",
)
def command(
    *,
    names: tuple[str, ...],
    listing: bool,
    resume: bool,
    now: bool,
    abandon: bool,
    spokes: tuple[str, ...],
    whole_hubs: tuple[str, ...],
    yes: bool,
    wait: float,
    output: str,
    files: tuple[str, ...],
    database: str | None,
    key_file: Path | None,
    installation: str,
    endpoints: Path | None,
    quiet: bool,
    cluster_ranges: tuple[str, ...],
    kubeconfig: Path | None,
) -> None:
    """Show what leaves, have it erased now, or give up on it.

    A deleted Spoke or Hub leaves for its grace period, and is then erased by the operator, which
    tries again until nobody shows any more what it had put in. This does the same by hand, with the
    operator running or without. NAME is that of a Spoke or Hub (NAMESPACE/NAME), or a uid.

    Exit codes: 0 complete; 1 something remains to be erased; 2 wrong options or manifests, nothing
    was done.
    """
    asked = _Asked(
        names=names,
        abandon=abandon,
        now=now,
        spokes=spokes,
        whole_hubs=whole_hubs,
        wait=wait,
        quiet=quiet,
    )
    resume = resume or now
    listing = listing or not (resume or abandon or spokes or whole_hubs)
    _check(asked, listing=listing, resume=resume, files=files, yes=yes)
    if kubeconfig is not None:
        os.environ["KUBECONFIG"] = str(kubeconfig)
    given = Options(files, (), database, key_file, False, installation, endpoints, quiet)
    with_cluster = not (listing or abandon or files)
    try:
        cases, loaded = (
            session.cases(given.files, given.hubs, quiet=given.quiet) if files else ([], None)
        )
        asked = msgspec.structs.replace(asked, cases=tuple(cases))
        path, key = store.prepare(database, key_file, init_key=False)
        settings = WorkerSettings(
            database=path,
            key_file=key.path,
            installation=installation or ("" if with_cluster else key.installation()),
            origins=origins.load(endpoints).avoiding(cluster_ranges),
        )
        sys.exit(
            asyncio.run(
                _main(
                    asked,
                    settings,
                    FileCredentials(loaded.secrets if loaded is not None else {}),
                    with_cluster=with_cluster,
                    listing=output if listing else None,
                )
            )
        )
    except ManifestError as error:
        click.echo("\n".join(f"Error: {mistake}" for mistake in error.mistakes), err=True)
        sys.exit(Exit.BAD_INPUT)
    except (CirahubError, OperatorError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(Exit.FAILED)
    except KeyboardInterrupt:
        click.echo("Stopped; --resume goes on where this stopped.", err=True)
        sys.exit(Exit.INTERRUPTED)


def _check(
    asked: _Asked, *, listing: bool, resume: bool, files: tuple[str, ...], yes: bool
) -> None:
    """Raises UsageError for what makes no sense, or was not meant."""
    if resume and asked.abandon:
        raise click.UsageError("--resume or --abandon, not both")
    if listing and (asked.now or asked.names):
        raise click.UsageError("say what to do with them: --resume or --abandon")
    if (asked.spokes or asked.whole_hubs) and (resume or asked.abandon or not files):
        raise click.UsageError("--spoke and --hub go with --filename, and with nothing else")
    if (asked.abandon or asked.now) and not asked.names:
        raise click.UsageError("--abandon and --now want the NAMEs that they are meant for")
    final = asked.abandon or asked.now or asked.spokes or asked.whole_hubs
    if final and not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("this can't be undone; add --yes if it is meant")
        click.confirm("This can't be undone. Go on?", abort=True, err=True)


async def _main(
    asked: _Asked,
    settings: WorkerSettings,
    credentials: CredentialSource,
    *,
    with_cluster: bool,
    listing: str | None,
) -> Exit:
    cluster = await Cluster.connect() if with_cluster else None
    try:
        if cluster is not None:
            credentials = ClusterCredentials(cluster)
            settings = await _as_the_operator(settings, cluster)
        worker = Worker.open(settings, credentials)
        try:
            if listing is not None:
                click.echo(shown(await worker.erasures(), listing))
                return Exit.OK
            return await _act(worker, asked)
        finally:
            await worker.close()
    finally:
        if cluster is not None:
            await cluster.close()


async def _as_the_operator(settings: WorkerSettings, cluster: Cluster) -> WorkerSettings:
    """With what the operator learns from the cluster when it starts."""
    return msgspec.structs.replace(
        settings,
        installation=settings.installation or await cluster.namespace_uid("kube-system"),
        origins=settings.origins.avoiding(await service_ranges(cluster)),
    )


async def _act(worker: Worker, asked: _Asked) -> Exit:
    jobs = await _chosen(worker, asked)
    complete = True
    for job in jobs:
        report = await _patiently(asked, job, _doing(worker, asked, job))
        click.echo("\n".join(told(job, report, abandoned=asked.abandon)))
        complete = complete and (report.complete or asked.abandon)
    if not jobs:
        click.echo("Nothing is to be erased.")
    return Exit.OK if complete else Exit.FAILED


async def _chosen(worker: Worker, asked: _Asked) -> list[Erasure]:
    """Raises UsageError for names that fit none, or one that would have to be waited for."""
    if asked.spokes or asked.whole_hubs:
        left = await _leave(worker, asked)
        return [job for job in await worker.erasures() if job.id in left]
    jobs = list(await worker.erasures())
    waiting = [job for job in jobs if waits(job)]
    if not asked.names:
        for job in waiting:
            asked.say(f"{kind(job)} {job.name}: in its grace period until {date(job.erase_at)}")
        return [job for job in jobs if job not in waiting]
    chosen = [_named(jobs, name) for name in asked.names]
    for job in chosen:
        if job in waiting and not (asked.now or asked.abandon):
            raise click.UsageError(
                f"{kind(job)} {job.name} is in its grace period until {date(job.erase_at)}; add "
                "--now to erase it at once, without a way back"
            )
    return chosen


def _doing(worker: Worker, asked: _Asked, job: Erasure) -> Callable[[], Awaitable[ErasureReport]]:
    def attempt() -> Awaitable[ErasureReport]:
        if asked.abandon:
            return worker.abandon(job.id)
        spokes, connections = _in_files(asked, job)
        return worker.erase(job.id, spokes=spokes, connections=connections, progress=asked.say)

    return attempt


async def _patiently(
    asked: _Asked, job: Erasure, attempt: Callable[[], Awaitable[ErasureReport]]
) -> ErasureReport:
    """Wait for a pass that somebody else makes over the hub."""
    until = time.monotonic() + asked.wait
    told = False
    while True:
        report = await attempt()
        held = any(problem.reason == LeaseHeldError.reason for problem in report.problems)
        if not held or time.monotonic() > until:
            return report
        if not told:
            asked.say(f"{kind(job)} {job.name}: a pass is under way, waiting for its end")
            told = True
        await asyncio.sleep(_LOOK_SECONDS)


async def _leave(worker: Worker, asked: _Asked) -> list[str]:
    """Have those of the manifests leave now; their uids."""
    left: list[str] = []
    for name in asked.spokes:
        case, spoke = _spoke(asked.cases, name)
        hub = case.resolution.hub
        if await worker.leave_spoke(hub, spoke.uid, erase_at=time.time(), spoke=spoke):
            left.append(spoke.uid)
        else:
            asked.say(f"Spoke {spoke.name}: the store knows nothing of it")
    for name in asked.whole_hubs:
        case = _hub(asked.cases, name)
        spokes = list(case.resolution.spokes.values())
        if await worker.leave_hub(case.resolution.hub, erase_at=time.time(), spokes=spokes):
            left.append(case.resolution.hub.uid)
    return left


def _in_files(
    asked: _Asked, job: Erasure
) -> tuple[list[SpokeConfig] | None, list[ConnectionConfig]]:
    """The others of the job's hub as the manifests have them (None: they don't have it), and the
    Connections."""
    connections = {
        spoke.connection.name: spoke.connection
        for case in asked.cases
        for spoke in case.resolution.spokes.values()
    }
    for case in asked.cases:
        if case.resolution.hub.uid == job.hub:
            others = [one for one in case.resolution.spokes.values() if one.uid != job.id]
            return others, list(connections.values())
    return None, list(connections.values())


def _spoke(cases: Sequence[Case], name: str) -> tuple[Case, SpokeConfig]:
    found = [
        (case, spoke)
        for case in cases
        for spoke in case.resolution.spokes.values()
        if name in (spoke.name, spoke.name.rpartition("/")[2])
    ]
    if len(found) != 1:
        raise ManifestError([f"--spoke {name}: {_how_many(len(found), 'Spoke', name)}"])
    return found[0]


def _hub(cases: Sequence[Case], name: str) -> Case:
    found = [case for case in cases if name in (case.hub.metadata.key, case.hub.metadata.name)]
    if len(found) != 1:
        raise ManifestError([f"--hub {name}: {_how_many(len(found), 'Hub', name)}"])
    return found[0]


def _named(jobs: Sequence[Erasure], name: str) -> Erasure:
    fitting = [job for job in jobs if name in (job.id, job.name, job.name.rpartition("/")[2])]
    if len(fitting) != 1:
        many = _how_many(len(fitting), "leaver", name)
        raise click.UsageError(f"{name}: {many}; see cirahub erase --list")
    return fitting[0]


def _how_many(count: int, what: str, name: str) -> str:
    return f"several are called so; write NAMESPACE/{name}" if count else f"there is no such {what}"
