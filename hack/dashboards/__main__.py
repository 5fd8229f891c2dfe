"""`python hack/dashboards [--check]`: write the dashboards of the chart, or compare them.

Exit codes: 0 written, or as they should be; 1 one of them is not (`--check`).
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dashboards import BOARDS
from dashboards.grafana import text

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "charts/cirahub-operator/files/dashboards"


def main() -> int:
    check = "--check" in sys.argv[1:]
    wanted = {FOLDER / f"{board.uid}.json": text(board) for board in BOARDS}
    there = set(FOLDER.glob("*.json"))
    stale = [one for one in wanted if one not in there or one.read_text() != wanted[one]]
    stale += sorted(there - wanted.keys())
    if check:
        for path in stale:
            print(
                f"{path.relative_to(ROOT)} is not what hack/dashboards says; run `make generate`",
                file=sys.stderr,
            )
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in stale:
        if path in wanted:
            path.write_text(wanted[path])
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
