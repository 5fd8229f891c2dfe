"""`python -m demo`, with `hack` on the path; `make demo` calls it.

Exit codes: 0 all came about; 1 something did not, and what is said tells why; 2 wrong options;
130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import traceback
from pathlib import Path
from threading import Event

from cirahub_simulator.client import AdminRefusedError
from cluster.errors import ClusterError
from demo import people, quickstart
from demo.errors import DemoError
from demo.narration import Narration
from demo.stage import ROOT, Stage
from demo.story import NAMESPACE, Story

INTERRUPTED = 130
SIGNAL_POLL = 0.5


def main() -> int:
    options = _options()
    tell = Narration()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        own = None if options.data is None else people.read(options.data.resolve())
        # kubectl is given paths as one would write them in the repository's root.
        os.chdir(ROOT)
        stage = Stage(tell, *(people.simulator_arguments(own) if own else ()))
        return _run(stage, tell, own, keep=options.keep)
    except DemoError as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        print("\nInterrupted; everything that was started is stopped.", file=sys.stderr)
        return INTERRUPTED


def _run(stage: Stage, tell: Narration, own: people.People | None, *, keep: bool) -> int:
    """Play, and say what went wrong while the logs are still there."""
    try:
        with stage:
            try:
                if own is None:
                    quickstart.play(Story(stage, tell, quickstart.SCRIPT))
                else:
                    story = Story(stage, tell, people.script(own))
                    people.play(story, own, stage.mailboxes, tell)
                if keep:
                    _look_around(stage)
            except Exception as error:
                return _failed(_explained(error), stage.log_tail())
    except ClusterError as error:
        return _failed(str(error))
    print(f"\nDone in {tell.elapsed:.0f} s; everything that was started is stopped.")
    return 0


def _look_around(stage: Stage) -> None:
    kubectl, admin = stage.kubectl, stage.simulator.endpoints.admin
    around = f"""
All of it stays up until Ctrl-C. To look around, in another terminal:

  export KUBECONFIG={stage.plane.kubeconfig}
  export PATH={kubectl.parent}:$PATH
  kubectl get hubs,spokes,connections -n {NAMESPACE}
  kubectl describe hub -n {NAMESPACE}
  kubectl get events -n {NAMESPACE}
  kubectl apply -k examples/quickstart                  # brings back a spoke that left

  less +F {stage.operator.log}
  curl {stage.operator.url}/metrics
  curl {admin}/mailboxes                 # what the mailboxes hold
  curl {admin}/requests/templates        # what Graph was asked
""".rstrip()
    never = Event()
    # As soon as any of this can be read, Ctrl-C ends it well.
    with contextlib.suppress(KeyboardInterrupt):
        print(around, flush=True)
        while not never.wait(SIGNAL_POLL):
            stage.operator.check_running()


def _explained(error: Exception) -> str:
    if isinstance(error, DemoError | ClusterError | AdminRefusedError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{type(error).__name__}: {error} (in {Path(place.filename).name}, line {place.lineno}). "
        "This is a mistake in the demo itself."
    )


def _failed(why: str, log: str = "") -> int:
    sys.stdout.flush()
    print(f"\nThe demo failed: {why}", file=sys.stderr)
    if log:
        print(f"\nThe end of the operator's log:\n{log}", file=sys.stderr)
        print(
            "\nmake demo KEEP=1 leaves everything running when it succeeds; `make test` says "
            "whether the machine is all right.",
            file=sys.stderr,
        )
    return 1


def _interrupt(*_: object) -> None:
    """Once: what follows is the cleaning up, which nobody gains by interrupting."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="stay up until Ctrl-C (KEEP=1)")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="one's own people, as JSON Lines (DATA=FILE)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
