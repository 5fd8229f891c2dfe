"""`hack/bootstrap/run [lock]`: make or update `.venv`, or make the lock anew.

Exit codes: 0 done, 1 it could not be done and stderr says why, 2 wrong options, 130 interrupted.
"""

import argparse
import sys
from pathlib import Path

if not __package__:
    # Run as a folder, Python puts the folder itself on the path instead of its parent.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bootstrap import lock
from bootstrap.environment import Environment
from bootstrap.errors import BootstrapError

ROOT = Path(__file__).resolve().parent.parent.parent
INTERRUPTED = 130


def main() -> int:
    parser = argparse.ArgumentParser(prog="hack/bootstrap/run", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("venv", help="make .venv or bring it up to date (the default)")
    renew = commands.add_parser("lock", help="resolve requirements.lock anew")
    renew.add_argument("--upgrade", action="store_true", help="take the newest that fits")
    options = parser.parse_args()
    try:
        if options.command == "lock":
            lock.renew(ROOT, upgrade=options.upgrade)
        else:
            Environment(ROOT).prepare()
    except BootstrapError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbootstrap: interrupted; run it again to go on", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
