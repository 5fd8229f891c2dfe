"""`cirahub simulate`: a Microsoft 365 on this machine, for laptops, tests and the demo."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import msgspec

from cirahub_simulator.admin.behaviour import change_switches
from cirahub_simulator.entra.trust import TrustedIssuer
from cirahub_simulator.notification.terms import Terms
from cirahub_simulator.seed.loader import ORGANISATION, SeedError, load_file
from cirahub_simulator.seed.people import load_people
from cirahub_simulator.server import LOOPBACK, Endpoints, Ports, Simulator
from cirahub_simulator.switches import Switches
from cirahub_simulator.throttle import Limits
from cirahub_simulator.world import World

FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


def _pairs(kind: Callable[[str], Any]) -> Callable[..., dict[str, Any]]:
    """A callback that reads NAME=VALUE options."""

    def read(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
        pairs = {}
        for pair in given:
            name, equals, value = pair.partition("=")
            if not equals:
                raise click.BadParameter(f"{pair!r} is not NAME=VALUE")
            try:
                pairs[name] = kind(value)
            except ValueError as error:
                raise click.BadParameter(f"{pair!r}: {error}") from error
        return pairs

    return read


def _scalar(text: str) -> object:
    """A switch's value as JSON, or as the word itself."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


@click.command()
@click.option(
    "--endpoints-file",
    type=FILE,
    help="Write where everything is, as JSON, once ready.",
)
@click.option("--ca-file", type=FILE, help="Write the CA's certificate here (PEM).")
@click.option(
    "--listen",
    default=LOOPBACK,
    show_default=True,
    help="Address to listen on. The admin endpoint stays on loopback.",
)
@click.option("--entra-port", type=int, default=0, help="Port of Entra. Default: a free one.")
@click.option("--graph-port", type=int, default=0, help="Port of Graph. Default: a free one.")
@click.option(
    "--vault-port",
    "vault_ports",
    multiple=True,
    metavar="NAME=PORT",
    callback=_pairs(int),
    help="Port of a vault. Default: a free one.",
)
@click.option(
    "--exchange-port",
    "exchange_ports",
    multiple=True,
    metavar="HOST=PORT",
    callback=_pairs(int),
    help="Port of an Exchange Server, by its host's name. Default: a free one.",
)
@click.option("--admin-port", type=int, default=0, help="Port of the admin endpoint.")
@click.option("--proxy-port", type=int, default=0, help="Port of the proxy. Default: a free one.")
@click.option(
    "--graph-http",
    is_flag=True,
    help="Serve Graph without TLS too, for benchmarks.",
)
@click.option(
    "--seed",
    "seeds",
    type=EXISTING,
    multiple=True,
    help="Load a seed file (JSON Lines) instead of the shipped organisation. May be repeated.",
)
@click.option("--empty", is_flag=True, help="Load nothing but what --seed names.")
@click.option(
    "--people",
    "people",
    type=EXISTING,
    help="Load people and their offices (JSON Lines) into a mailbox.",
)
@click.option(
    "--people-mailbox",
    help="Id or userPrincipalName of that mailbox. Default: the first one.",
)
@click.option(
    "--people-folder",
    default="",
    help="Folder below its Contacts, such as Congress or Work/Congress.",
)
@click.option(
    "--cluster-issuer",
    help="Issuer of the Kubernetes cluster whose service account tokens are trusted.",
)
@click.option(
    "--cluster-ca",
    type=EXISTING,
    help="CA of that issuer (PEM). Default: the system's.",
)
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_pairs(_scalar),
    help="Settle what Microsoft leaves open; `--list-switches` shows what there is.",
)
@click.option("--list-switches", is_flag=True, help="Print every switch with its default.")
@click.option(
    "--requests-per-mailbox",
    type=int,
    default=Limits().requests,
    show_default=True,
    help="Requests by one application to one mailbox in ten minutes.",
)
@click.option(
    "--concurrent-per-mailbox",
    type=int,
    default=Limits().concurrent,
    show_default=True,
    help="Requests by one application to one mailbox at the same time.",
)
@click.option("--no-throttle", is_flag=True, help="Never answer 429.")
@click.option(
    "--latency",
    type=float,
    default=0.0,
    show_default=True,
    help="Seconds that every answer takes.",
)
@click.option(
    "--notification-ca",
    type=EXISTING,
    help="CA that the endpoints of change notifications may have certificates of (PEM). Default: "
    "the system's only.",
)
@click.option(
    "--notification-latency",
    type=float,
    default=Terms().latency,
    show_default=True,
    help="Seconds from a change to the delivery of its notification.",
)
@click.option(
    "--fault-seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of the chance of fault rules.",
)
@click.option(
    "--record",
    type=FILE,
    help="Write every request and answer of Graph and EWS, parts of batches and notifications too, "
    "as JSON Lines.",
)
@click.option(
    "--stop-with-stdin",
    is_flag=True,
    help="Stop when standard input is closed, so that no parent leaves it behind.",
)
def command(
    *,
    endpoints_file: Path | None,
    ca_file: Path | None,
    listen: str,
    entra_port: int,
    graph_port: int,
    vault_ports: dict[str, int],
    exchange_ports: dict[str, int],
    admin_port: int,
    proxy_port: int,
    graph_http: bool,
    seeds: tuple[Path, ...],
    empty: bool,
    people: Path | None,
    people_mailbox: str | None,
    people_folder: str,
    cluster_issuer: str | None,
    cluster_ca: Path | None,
    switches: dict[str, object],
    list_switches: bool,
    requests_per_mailbox: int,
    concurrent_per_mailbox: int,
    no_throttle: bool,
    latency: float,
    notification_ca: Path | None,
    notification_latency: float,
    fault_seed: int,
    record: Path | None,
    stop_with_stdin: bool,
) -> None:
    """Simulate Entra ID, Key Vault, Microsoft Graph and Exchange Web Services on this machine.

    Other programs need no change: with HTTPS_PROXY set to its proxy they come here by Microsoft's
    own names, and nowhere else.

    Ctrl-C or SIGTERM stops it. Exit codes: 0 after a clean stop, 1 when a port or a file can't be
    used or a seed can't be loaded, 2 for wrong options.
    """
    if list_switches:
        _print_switches()
        return
    try:
        chosen = change_switches(Switches(), switches)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--switch") from error
    limits = Limits(requests=requests_per_mailbox, concurrent=concurrent_per_mailbox)
    if no_throttle:
        limits = Limits(requests=None, upload_bytes=None, concurrent=None, app_requests=None)
    world = World(switches=chosen, limits=limits, fault_seed=fault_seed)
    world.latency = latency
    world.notifications = Terms(latency=notification_latency, ca_file=str(notification_ca or ""))
    if cluster_issuer is not None:
        ca = cluster_ca.read_text(encoding="ascii") if cluster_ca is not None else None
        world.trust.declare(TrustedIssuer(cluster_issuer, ca), cluster=True)
    try:
        for path in seeds or (() if empty else (ORGANISATION,)):
            load_file(world, path)
        if people is not None:
            _load_people(world, people, people_mailbox, people_folder)
    except (SeedError, OSError) as error:
        raise click.ClickException(str(error)) from error
    simulator = Simulator(
        world,
        listen=listen,
        ports=Ports(
            entra=entra_port,
            graph=graph_port,
            graph_http=0 if graph_http else None,
            admin=admin_port,
            proxy=proxy_port,
            vaults=vault_ports,
            exchange=exchange_ports,
        ),
        ca_file=ca_file,
    )
    with ExitStack() as stack:
        try:
            if record is not None:
                world.journal.record_to(stack.enter_context(record.open("wb")))
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_serve(simulator, endpoints_file, stop_with_stdin=stop_with_stdin))
            if endpoints_file is not None:
                endpoints_file.unlink(missing_ok=True)
        except OSError as error:
            raise click.ClickException(str(error)) from error


def _load_people(world: World, path: Path, mailbox: str | None, folder: str) -> None:
    if mailbox is None:
        first = next((user for user in world.directory.users() if user.has_mailbox), None)
        if first is None:
            raise SeedError("--people needs a mailbox, and nothing that was loaded has one")
        mailbox = first.id
    names = [name for name in folder.split("/") if name]
    count = load_people(world, path, mailbox, names)
    click.echo(f"Loaded {count} contacts from {path}", err=True)


async def _serve(
    simulator: Simulator, endpoints_file: Path | None, *, stop_with_stdin: bool
) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if stop_with_stdin:
        loop.add_reader(sys.stdin.fileno(), _read_stdin, loop, stopped)
    async with simulator:
        _announce(simulator, endpoints_file)
        await stopped.wait()


def _read_stdin(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin.fileno())
        stopped.set()


def _counted(count: int, what: str, plural: str = "s") -> str:
    return f"{count} {what}{'' if count == 1 else plural}"


def _announce(simulator: Simulator, endpoints_file: Path | None) -> None:
    endpoints: Endpoints = simulator.endpoints
    if endpoints_file is not None:
        # Renamed into place: whoever waits for the file never reads half of it.
        partial = endpoints_file.with_name(endpoints_file.name + ".partial")
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(endpoints), indent=2))
        partial.replace(endpoints_file)
    directory = simulator.world.directory
    mailboxes = sum(user.has_mailbox for user in directory.users())
    servers = len(directory.exchange_servers())
    click.echo(
        f"Simulating {_counted(len(directory.tenants()), 'tenant')} and "
        f"{_counted(servers, 'Exchange Server')} with {_counted(mailboxes, 'mailbox', 'es')}:"
    )
    for origin, ours in endpoints.origins.items():
        click.echo(f"  {origin}  ->  {ours}")
    if endpoints.graph_http is not None:
        click.echo(f"  Graph without TLS  ->  {endpoints.graph_http}")
    click.echo(f"  admin endpoint  ->  {endpoints.admin}")
    click.echo(f"CA: {endpoints.ca_file}")
    click.echo(
        "Programs that know only Microsoft's names: "
        f"HTTPS_PROXY={endpoints.proxy} with that CA (SSL_CERT_FILE, REQUESTS_CA_BUNDLE)"
    )
    click.echo("Ready. Ctrl-C stops it.")
    sys.stdout.flush()


def _print_switches() -> None:
    hints = get_type_hints(Switches)
    for name, value in asdict(Switches()).items():
        choices = get_args(hints[name]) or (False, True)
        shown = ", ".join(msgspec.json.encode(choice).decode() for choice in choices)
        click.echo(f"{name}={msgspec.json.encode(value).decode()}  (one of {shown})")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not built for every platform
        return None
    return uvloop.new_event_loop
