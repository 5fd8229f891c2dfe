"""On the path of every Python process that a judged test run starts: `tests/silence/heard.py`."""

import runpy
import sys
from pathlib import Path

command = " ".join(sys.orig_argv)
if "cirahub_simulator" not in command and "sys.stdin.readline" not in command:
    # Neither Microsoft's servers nor a worker of the tests themselves.
    program = Path(__file__).resolve().parent.parent / "heard.py"
    runpy.run_path(str(program))["listen"](product=True)
