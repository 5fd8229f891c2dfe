"""Says whether this interpreter can make our virtual environment; run by `run`, on any Python 3.

Exit code 0, or 1 with the reason on stderr.
"""

import importlib.util
import sys

NEEDED = (3, 11)


def main() -> None:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < NEEDED:
        sys.exit(f"it is {version}; 3.11 or newer is needed")
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            sys.exit(
                f"it is {version}, but has no {module} "
                "(Debian, Ubuntu: apt-get install python3-venv)"
            )


if __name__ == "__main__":
    main()
