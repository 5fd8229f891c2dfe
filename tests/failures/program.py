"""The operator as a program of its own: `python -c … START`, where START is a `Start` that was
pickled by the test. Its clock is wrong by as many seconds as the file in WRONG says."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

WRONG = "CIRAHUB_TEST_CLOCK"


def main() -> None:
    """Before anything of ours is imported: some of it takes the clock along when it is."""
    wrong = os.environ.get(WRONG)
    if wrong is not None:
        _set_wrong(Path(wrong))
    import asyncio
    import pickle

    from cirahub_operator import logs
    from cirahub_operator.errors import OperatorError
    from cirahub_operator.logs import LogFormat
    from cirahub_operator.operation import Operation

    logs.set_up(LogFormat.JSON, debug=False)
    start = pickle.loads(Path(sys.argv[1]).read_bytes())

    async def operate() -> None:
        await Operation(start.settings()).run()

    try:
        asyncio.run(operate())
    except OperatorError:
        sys.exit(1)


def _set_wrong(by: Path) -> None:
    right = time.time
    time.time = lambda: right() + float(by.read_text())
