"""`python -m e2e.soak`, with `hack` on the path; `make soak` calls it.

Exit codes: 0 all came about; 1 something did not, and what is said tells why; 2 wrong options;
130 interrupted.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from cirahub_simulator.client import AdminRefusedError
from cirahub_simulator.process import SimulatorFailedError, SimulatorProcess
from cluster.errors import ClusterError
from cluster.helm import Helm
from cluster.node import Node
from demo.errors import DemoError
from demo.narration import Narration
from e2e import site
from e2e.errors import EndToEndError
from e2e.release import NAME, NAMESPACE, TEAM, Release, make_namespace
from e2e.soak.harm import Harm
from e2e.soak.said import Said
from e2e.soak.soak import REPLICAS, Soak
from e2e.stand import Stand
from e2e.story import Steps
from e2e.versions import Version
from image import ImageError
from postgres import Listening, PostgresError, Server

INTERRUPTED = 130
SECONDS = 120.0
DATABASE = "cirahub"
SECRET = f"{NAME}-database"
VALUES = {
    "replicaCount": REPLICAS,
    "database": {"existingSecret": {"name": SECRET}},
    "jobs": {"enabled": True},
    "leaderElection": {"leaseDuration": "6s", "renewDeadline": "4s", "retryPeriod": "500ms"},
    "hubLease": "15s",
}
"""Of the chart. Who is killed is followed in seconds, so that the next blow finds somebody at work.
"""


def main() -> int:
    options = _options()
    why = site.obstacle()
    if options.if_possible and why is not None:
        print(f"soak: skipped. {why}.")
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    steps = Steps(Narration())
    try:
        with ExitStack() as stack:
            _run(options, steps, stack)
    except (
        AdminRefusedError,
        ClusterError,
        DemoError,
        EndToEndError,
        ImageError,
        PostgresError,
        SimulatorFailedError,
    ) as error:
        print(f"\nsoak: {error}", file=sys.stderr)
        print(
            f"The same blows again: make soak SEED={options.seed} SECONDS={options.seconds:.0f}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; everything that was started is stopped.", file=sys.stderr)
        return INTERRUPTED
    print(f"\nDone in {steps.tell.elapsed:.0f} s; everything that was started is stopped.")
    return 0


def _run(options: argparse.Namespace, steps: Steps, stack: ExitStack) -> None:
    tell = steps.tell
    why = site.obstacle()
    if why is not None:
        raise EndToEndError(f"{why}. No other one may be struck.")
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="cirahub-soak-")))
    with steps.step("The image"):
        version = Version.now(None)
        tell.say(version.image.name)
    with steps.step("A node, PostgreSQL and Microsoft 365 beside it"):
        node = stack.enter_context(Node.start())
        assert version.image.archive is not None
        node.load(version.image.archive)
        server = stack.enter_context(Server.running(Listening(node.host, node.pods)))
        password = secrets.token_urlsafe(16)
        server.create_owned(DATABASE, DATABASE, password)
        stand = _stand(node, stack)
        tell.say(f"{node.plane.url}; {stand.origins['https://graph.microsoft.com']}")
        for namespace in (NAMESPACE, TEAM):
            make_namespace(node.plane, namespace)
    said = stack.enter_context(Said.listening(node.logs, node.home / "said"))
    release = Release(node.plane, Helm.of(folder, node.plane.kubeconfig), stand, VALUES)
    release.make_secret(SECRET, url=server.remote_url(DATABASE, DATABASE, password))
    harm = Harm(node, server, DATABASE, stand.admin)
    try:
        soak = Soak(node, release, harm, said, secret=password, steps=steps)
        soak.play(version, options.seed, options.seconds)
    except Exception:
        release.look_back(tell)
        raise
    tell.step("What it took")
    steps.table()


def _stand(node: Node, stack: ExitStack) -> Stand:
    """A process of this machine: what is said to it passes no API server."""
    simulator = stack.enter_context(
        SimulatorProcess(
            f"--listen={node.host}",
            f"--cluster-issuer={node.plane.issuer}",
            f"--cluster-ca={node.plane.ca_file}",
        )
    )
    ca = Path(simulator.endpoints.ca_file).read_text()
    return Stand(simulator.endpoints.origins, ca, simulator.admin)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="soak",
        description="Kill pods, the API server and PostgreSQL while people change things.",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="how long there are blows; 120 by default",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=secrets.randbelow(1_000_000),
        help="of an earlier run, whose blows are to be repeated",
    )
    parser.add_argument(
        "--if-possible",
        action="store_true",
        help="where there can be no node of our own, or no image, say why and do nothing",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
