"""`python -m e2e`, with `hack` on the path; `make e2e` calls it.

Exit codes: 0 all came about; 1 something did not, and what is said tells why; 2 wrong options;
130 interrupted.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from cirahub_simulator.client import AdminRefusedError
from cluster.errors import ClusterError
from cluster.helm import Helm
from demo.errors import DemoError
from demo.narration import Narration
from e2e import site
from e2e.background import Background
from e2e.errors import EndToEndError
from e2e.image import Image
from e2e.release import NAMESPACE, TEAM, Release, make_namespace
from e2e.site import Site
from e2e.stand import NAMESPACE as STAND
from e2e.stand import Stand
from e2e.story import Steps, Story
from e2e.versions import PREVIOUS, Version
from image import ImageError

INTERRUPTED = 130
SITES: dict[str, Callable[[], AbstractContextManager[Site]]] = {
    "node": site.own_node,
    "kind": site.kind,
    "existing": site.existing,
}


def main() -> int:
    options = _options()
    why = site.obstacle()
    if options.if_possible and why is not None:
        print(f"e2e: skipped. {why}.")
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    steps = Steps(Narration())
    try:
        with ExitStack() as stack:
            _run(options, steps, stack)
    except (DemoError, ClusterError, EndToEndError, ImageError, AdminRefusedError) as error:
        print(f"\ne2e: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; everything that was started is stopped.", file=sys.stderr)
        return INTERRUPTED
    print(f"\nDone in {steps.tell.elapsed:.0f} s; everything that was started is stopped.")
    return 0


def _run(options: argparse.Namespace, steps: Steps, stack: ExitStack) -> None:
    tell = steps.tell
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="cirahub-e2e-")))
    with steps.step("Images"):
        named = Image.named(options.image) if options.image else None
        now = Version.now(named)
        before = None if named else Version.before(folder / "before", options.before)
        tell.say(f"{now.image.name}: {now.what}")
        tell.say(f"{before.image.name}: {before.what}" if before else "no earlier commit")
    with steps.step("A cluster"):
        where = stack.enter_context(SITES[options.cluster]())
        cluster = where.cluster
        tell.say(f"{where.what}: {cluster.url}")
    with steps.step("Images into it"):
        needed = (now.image, before.image) if before else (now.image,)
        for image in {one.name: one for one in needed}.values():
            if where.load is None or image.archive is None:
                tell.say(f"{image.name} comes from its registry")
            else:
                where.load(image.archive)
    with steps.step("Microsoft 365 as a pod"):
        for namespace in (NAMESPACE, STAND, TEAM):
            make_namespace(cluster, namespace)
            stack.callback(cluster.delete_namespace, namespace)
        where.prepare_store()
        background = stack.enter_context(Background.opened())
        stand = stack.enter_context(Stand.set_up(cluster, now.image, background))
    helm = Helm.of(folder, cluster.kubeconfig)
    release = Release(cluster, helm, stand)
    try:
        Story(cluster, release, stand, background, steps).play(now, before)
    except Exception:
        release.look_back(tell)
        if where.load is None:
            release.abandon()
        raise
    tell.step("What it took")
    steps.table()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="e2e", description="The whole of it, on real pods.")
    parser.add_argument(
        "--cluster",
        choices=SITES,
        default="node",
        help="node: one of our own, as root; kind: made by kind, with Docker; existing: what "
        "CIRAHUB_TEST_KUBECONFIG names",
    )
    parser.add_argument(
        "--image",
        metavar="NAME",
        help="an image of this code in a registry that the cluster reads, in place of one that is "
        "built and loaded",
    )
    parser.add_argument(
        "--before",
        metavar="COMMIT",
        default=PREVIOUS,
        help="what is installed first, and gone back to",
    )
    parser.add_argument(
        "--if-possible",
        action="store_true",
        help="where there can be no node of our own, or no image, say why and do nothing",
    )
    options = parser.parse_args()
    if options.cluster == "existing" and not options.image:
        parser.error("--cluster existing needs --image: nothing can be loaded into it")
    return options


if __name__ == "__main__":
    sys.exit(main())
