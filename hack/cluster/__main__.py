"""The control plane by hand: ``python hack/cluster`` or, with ``hack`` on the path,
``python -m cluster``.

Exit codes: 0 done (also `up` ended by Ctrl-C or SIGTERM), 1 it could not be done and stderr
says why, 2 the command line was wrong, 130 interrupted.
"""

import argparse
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

if not __package__:
    # Run as a folder, Python puts the folder itself on the path instead of its parent.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from cluster import helm, kstatus, node, promtool
from cluster.binaries import Binaries
from cluster.controlplane import ControlPlane
from cluster.errors import BinariesMissingError, ClusterError
from cluster.node.tools import Tools
from cluster.progress import Progress

INTERRUPTED = 130
SIGNAL_POLL = 0.5


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cluster",
        description="A real Kubernetes control plane (etcd, kube-apiserver, "
        "kube-controller-manager) on this machine, without images or daemons.",
        epilog="KUBEBUILDER_ASSETS names a folder with the binaries to use instead of built ones, "
        "HELM a Helm, PROMTOOL a promtool, and PROMETHEUS a Prometheus.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    build = commands.add_parser(
        "build", help="find the binaries or build them (minutes, once), and print their folder"
    )
    build.add_argument("--node", action="store_true", help="those of a node, too; needs root")
    commands.add_parser("path", help="print the folder of the binaries; fail if there are none")
    commands.add_parser("kstatus", help="build kstatus (a minute, once), and print where it is")
    commands.add_parser("helm", help="find Helm or build it (minutes, once), and print where it is")
    commands.add_parser(
        "promtool", help="find promtool or fetch it (seconds, once), and print where it is"
    )
    commands.add_parser(
        "prometheus", help="find Prometheus or fetch it (seconds, once), and print where it is"
    )
    up = commands.add_parser("up", help="run a control plane in the foreground until Ctrl-C")
    up.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="write the kubeconfig to this new file as well, and remove it at the end",
    )
    up.add_argument(
        "--audit-log", type=Path, metavar="FILE", help="write an audit log there, an event a line"
    )
    up.add_argument(
        "--node", action="store_true", help="with a node, which really runs pods; needs root"
    )
    up.add_argument("--keep", action="store_true", help="leave logs and data in place at the end")
    return parser


def main(argv: list[str] | None = None) -> int:
    options = arguments().parse_args(argv)
    try:
        if options.command == "build":
            print((_node_tools().control_plane if options.node else Binaries.find()).directory)
        elif options.command == "path":
            print(path())
        elif options.command == "helm":
            print(helm.find())
        elif options.command == "kstatus":
            print(kstatus.find())
        elif options.command == "promtool":
            print(promtool.find())
        elif options.command == "prometheus":
            print(promtool.find(promtool.Program.SERVER))
        else:
            up(options.kubeconfig, options.audit_log, keep=options.keep, with_node=options.node)
    except ClusterError as error:
        print(f"cluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def path() -> Path:
    binaries = Binaries.present()
    if binaries is None:
        raise BinariesMissingError(
            "The binaries are not built yet. Run `python hack/cluster build`."
        )
    return binaries.directory


def _node_tools() -> Tools:
    why = node.obstacle()
    if why is not None:
        raise BinariesMissingError(f"A node {why}.")
    return Tools.find(Progress())


@contextmanager
def _started(audit: bool | Path, *, keep: bool, with_node: bool) -> Iterator[ControlPlane]:
    if with_node:
        with node.Node.start(audit=audit, keep=keep) as started:
            yield started.plane
    else:
        with ControlPlane.start(audit=audit, keep=keep) as plane:
            yield plane


def up(
    kubeconfig: Path | None, audit_log: Path | None, *, keep: bool, with_node: bool = False
) -> None:
    binaries = Binaries.find()
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    audit = audit_log.resolve() if audit_log else False
    with ExitStack() as stack:
        if kubeconfig is not None:
            stack.callback(claimed(kubeconfig).unlink, missing_ok=True)
        plane = stack.enter_context(_started(audit, keep=keep, with_node=with_node))
        shown = plane.kubeconfig
        if kubeconfig is not None:
            shown = Path(shutil.copyfile(shown, kubeconfig)).resolve()
        print(f"Kubernetes answers at {plane.url}. To use it in another terminal:\n")
        print(f"  export KUBECONFIG={shown}")
        print(f"  {binaries.kubectl} get namespaces\n")
        print(f"Logs are in {plane.directory}. Ctrl-C ends it.", flush=True)
        # Not without a timeout: a signal that comes just before Python waits for the lock is
        # noted, but its handler runs only after the wait.
        while not ended.wait(SIGNAL_POLL):
            pass
    if keep:
        print(f"Logs and data were left in {plane.directory}.")


def claimed(kubeconfig: Path) -> Path:
    """The file, made by us: one that is there may hold someone's access to other clusters."""
    try:
        kubeconfig.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise ClusterError(
            f"{kubeconfig} cannot be made ({error.strerror}). --kubeconfig needs the name of a "
            "file that is not there yet."
        ) from error
    return kubeconfig


if __name__ == "__main__":
    sys.exit(main())
