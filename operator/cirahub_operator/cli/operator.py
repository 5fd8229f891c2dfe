"""`cirahub operator`: serve a cluster until told to stop."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from cirahub_operator import frugality, logs
from cirahub_operator.cli.engine_options import (
    FILE,
    duration,
    engine_options,
    loaded,
    process_options,
)
from cirahub_operator.cli.notification_options import notification_options, notifications
from cirahub_operator.cli.store import KeyFile, state_folder
from cirahub_operator.errors import OperatorError
from cirahub_operator.logs import LogFormat
from cirahub_operator.settings import Election, LeaseTiming, OwnIdentity, Settings, Timing, Workers
from cirahub_operator.worker_template import WorkerTemplate
from cirahub_sync.errors import CirahubError


def _grants(
    _: click.Context, __: click.Parameter, texts: tuple[str, ...]
) -> tuple[OwnIdentity, ...]:
    return tuple(map(_grant, texts))


def _grant(text: str) -> OwnIdentity:
    pairs = [part.partition("=")[::2] for part in text.split(",")]
    known = {"namespace", "tenant", "vault"}
    single = {name: value for name, value in pairs if name in known - {"vault"} and value}
    if {name for name, _ in pairs} - known or len(single) != 2:
        raise click.BadParameter(
            f"{text!r}: write namespace=NAME,tenant=GUID[,vault=HOST[,vault=HOST…]]"
        )
    vaults = frozenset(value.lower() for name, value in pairs if name == "vault")
    return OwnIdentity(namespace=single["namespace"], tenant=single["tenant"], vaults=vaults)


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.option(
    "--namespace",
    "-n",
    "namespaces",
    multiple=True,
    envvar="CIRAHUB_NAMESPACES",
    show_envvar=True,
    help="A namespace to serve; may be repeated (in the variable: separated by spaces). Without "
    "any, all of them, which needs cluster-wide permissions.",
)
@engine_options
@click.option(
    "--installation-id",
    default="",
    show_default=False,
    envvar="CIRAHUB_INSTALLATION_ID",
    show_envvar=True,
    help="Who we are in the marks on our copies: 1 to 36 of a-z, 0-9 and -. It has to stay the "
    "same for as long as the copies live. Default: the UID of the namespace kube-system.",
)
@click.option(
    "--own-identity",
    multiple=True,
    callback=_grants,
    envvar="CIRAHUB_OWN_IDENTITY",
    show_envvar=True,
    metavar="namespace=…,tenant=…[,vault=…]",
    help="Let the Connections of a namespace sign in as the operator itself, for this tenant and "
    "these vaults (host names) only; may be repeated. Without it, they need a ServiceAccount of "
    "their own namespace.",
)
@click.option(
    "--listen",
    default="0.0.0.0",  # noqa: S104 (probes and scrapers come from outside the pod)
    envvar="CIRAHUB_LISTEN",
    show_envvar=True,
    help="Address that probes and metrics are served on.",
)
@click.option(
    "--health-port",
    type=click.IntRange(0, 65535),
    default=8080,
    envvar="CIRAHUB_HEALTH_PORT",
    show_envvar=True,
    help="Port of /healthz and /readyz; 0 picks a free one.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=9090,
    envvar="CIRAHUB_METRICS_PORT",
    show_envvar=True,
    help="Port of /metrics; 0 picks a free one. May be the health port.",
)
@click.option(
    "--leader-election/--no-leader-election",
    default=True,
    envvar="CIRAHUB_LEADER_ELECTION",
    show_envvar=True,
    help="Take turns with other operators that share the Lease: one serves, the others stand by. "
    "Off with --dev, unless given.",
)
@click.option(
    "--lease-namespace",
    default="",
    show_default=False,
    envvar="CIRAHUB_LEASE_NAMESPACE",
    show_envvar=True,
    help="Namespace of the Lease. Default: the operator's own in a pod, else `default`.",
)
@click.option(
    "--lease-name",
    default="cirahub-operator",
    envvar="CIRAHUB_LEASE_NAME",
    show_envvar=True,
    help="Name of the Lease. Operators that serve different namespaces each need their own.",
)
@click.option(
    "--lease-duration",
    default="15s",
    callback=duration,
    envvar="CIRAHUB_LEASE_DURATION",
    show_envvar=True,
    help="How long the others leave a Lease alone that its holder does not renew any more.",
)
@click.option(
    "--renew-deadline",
    default="10s",
    callback=duration,
    envvar="CIRAHUB_RENEW_DEADLINE",
    show_envvar=True,
    help="How long the holder tries to renew before it ends; it has the rest of the lease duration "
    "for that.",
)
@click.option(
    "--retry-period",
    default="2s",
    callback=duration,
    envvar="CIRAHUB_RETRY_PERIOD",
    show_envvar=True,
    help="Time between two renewals, and between two looks of a stand-by.",
)
@click.option(
    "--concurrent-passes",
    type=click.IntRange(1, 1000),
    default=8,
    envvar="CIRAHUB_CONCURRENT_PASSES",
    show_envvar=True,
    help="How many hubs are passed over at the same time.",
)
@click.option(
    "--worker-template",
    type=FILE,
    envvar="CIRAHUB_WORKER_TEMPLATE",
    show_envvar=True,
    help="Pod template (YAML) of the workers that Hubs with `runner: Job` are passed over by; its "
    "container `worker` runs `cirahub worker`. Needs PostgreSQL. Without it, such Hubs wait.",
)
@click.option(
    "--worker-namespace",
    default="",
    show_default=False,
    envvar="CIRAHUB_WORKER_NAMESPACE",
    show_envvar=True,
    help="Namespace of the workers' Jobs. Whoever may make pods there can read the store's key. "
    "Default: the operator's own in a pod, else `default`.",
)
@click.option(
    "--worker-parallelism",
    type=click.IntRange(1, 1000),
    default=8,
    envvar="CIRAHUB_WORKER_PARALLELISM",
    show_envvar=True,
    help="How many workers a Connection has in a pass at the same time.",
)
@click.option(
    "--worker-shard-size",
    type=click.IntRange(1, 100_000),
    default=200,
    envvar="CIRAHUB_WORKER_SHARD_SIZE",
    show_envvar=True,
    help="How many mailboxes a worker takes.",
)
@click.option(
    "--erase-timeout",
    default="1h",
    callback=duration,
    envvar="CIRAHUB_ERASE_TIMEOUT",
    show_envvar=True,
    help="How long a deleted Spoke or Hub is held while its copies can't be reached.",
)
@click.option(
    "--check-interval",
    default="1h",
    callback=duration,
    envvar="CIRAHUB_CHECK_INTERVAL",
    show_envvar=True,
    help="Time between two looks at whether a Connection can still sign in.",
)
@click.option(
    "--expiry-warning",
    default="720h",
    callback=duration,
    envvar="CIRAHUB_EXPIRY_WARNING",
    show_envvar=True,
    help="How long before a client secret or a certificate expires it is warned of.",
)
@notification_options
@process_options
@click.option(
    "--dev",
    is_flag=True,
    help="For a laptop: listen on 127.0.0.1, log for people and take turns with nobody; unless "
    "given, keep the store and its key, which is made if there is none, in the state folder "
    "(XDG_STATE_HOME/cirahub).",
)
@click.pass_context
def command(
    context: click.Context,
    *,
    namespaces: tuple[str, ...],
    database: str,
    key_file: Path,
    installation_id: str,
    endpoints: Path | None,
    cluster_ranges: tuple[str, ...],
    own_identity: tuple[OwnIdentity, ...],
    listen: str,
    health_port: int,
    metrics_port: int,
    leader_election: bool,
    lease_namespace: str,
    lease_name: str,
    lease_duration: float,
    renew_deadline: float,
    retry_period: float,
    hub_lease: float,
    concurrent_passes: int,
    worker_template: Path | None,
    worker_namespace: str,
    worker_parallelism: int,
    worker_shard_size: int,
    erase_timeout: float,
    check_interval: float,
    expiry_warning: float,
    notifications_url: str,
    notifications_port: int,
    notifications_certificate: Path | None,
    notifications_key: Path | None,
    notifications_plain: bool,
    notifications_pause: float,
    kubeconfig: Path | None,
    log_format: str,
    debug: bool,
    dev: bool,
) -> None:
    """Serve a cluster until told to stop (SIGTERM, Ctrl-C).

    Watches Connections, Hubs, Spokes and SpokeSets, and syncs what they declare. Several may run:
    the one that holds the Lease serves, the others stand by; one that loses the Lease ends.

    Exit codes: 0 stopped when told to; 1 could not start or go on, or lost the Lease; 2 wrong
    options.
    """
    given = _Given(context)
    settings = Settings(
        namespaces=namespaces,
        database=database,
        key_file=key_file,
        installation=installation_id,
        origins=loaded(endpoints),
        cluster_ranges=cluster_ranges,
        own_identity=own_identity,
        host=listen,
        health_port=health_port,
        metrics_port=metrics_port,
        hub_lease=hub_lease,
        concurrent_passes=concurrent_passes,
        election=_election(
            lease_namespace,
            lease_name,
            duration=lease_duration,
            renew_deadline=renew_deadline,
            retry_period=retry_period,
        )
        if leader_election
        else None,
        workers=_workers(
            worker_template,
            worker_namespace,
            parallelism=worker_parallelism,
            shard_size=worker_shard_size,
        ),
        notifications=notifications(
            url=notifications_url,
            port=notifications_port,
            certificate=notifications_certificate,
            private_key=notifications_key,
            plain=notifications_plain,
            pause=notifications_pause,
        ),
        timing=Timing(
            erase_timeout=erase_timeout,
            check_interval=check_interval,
            expiry_warning=expiry_warning,
        ),
    )
    if dev:
        settings = _for_laptop(settings, given)
        log_format = log_format if given.option("log_format") else LogFormat.CONSOLE.value
    if kubeconfig is not None:
        os.environ["KUBECONFIG"] = str(kubeconfig)
    frugality.without_terminals()
    frugality.give_back()
    logs.set_up(LogFormat(log_format), debug=debug)
    sys.exit(_serve(settings))


class _Given:
    """Which options were given, as against defaulted."""

    def __init__(self, context: click.Context) -> None:
        self._context = context

    def option(self, name: str) -> bool:
        source = self._context.get_parameter_source(name)
        return source is not click.core.ParameterSource.DEFAULT


def _for_laptop(settings: Settings, given: _Given) -> Settings:
    folder = state_folder()
    if not given.option("leader_election"):
        settings = replace(settings, election=None)
    if not given.option("listen"):
        settings = replace(settings, host="127.0.0.1")
    if not given.option("key_file"):
        settings = replace(settings, key_file=folder / "operator.key")
    if not given.option("database"):
        settings = replace(settings, database=f"sqlite:///{folder / 'operator.sqlite3'}")
    key = KeyFile(settings.key_file, settings.database)
    if not key.exists():
        key.make()
    return settings


def _workers(
    template: Path | None, namespace: str, *, parallelism: int, shard_size: int
) -> Workers | None:
    if template is None:
        return None
    try:
        read = WorkerTemplate.load(template)
    except CirahubError as error:
        raise click.UsageError(str(error)) from error
    return Workers(
        template=read, namespace=namespace, parallelism=parallelism, shard_size=shard_size
    )


def _election(namespace: str, name: str, **timing: float) -> Election:
    try:
        return Election(namespace=namespace, name=name, timing=LeaseTiming(**timing))
    except ValueError as error:
        raise click.UsageError(
            f"{error} (--lease-duration, --renew-deadline, --retry-period)"
        ) from error


def _serve(settings: Settings) -> int:
    # Not at the top: it takes half a second, and `--help` has no use for it.
    from cirahub_operator.operation import Operation

    async def operate() -> None:
        await Operation(settings).run()

    try:
        with frugality.short_collections():
            asyncio.run(operate())
    except (OperatorError, CirahubError) as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    return 0
