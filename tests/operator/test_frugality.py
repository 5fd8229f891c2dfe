"""What a service does not load, and what it hands back. In processes of their own: what one test
has imported, all others have."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

START = """
import json, sys
from cirahub_operator import frugality
frugality.without_terminals()
import structlog
from cirahub_operator.operation import Operation
print(json.dumps([name for name, module in sys.modules.items() if module is not None]))
"""


def output(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules of an operator that is about to start."""
    return set(json.loads(output(START)))


@pytest.mark.parametrize(
    "module",
    [
        "rich",
        "pygments",
        "httpx",
        "alembic",
        "exchangelib",
        "msal",
        "azure.keyvault.secrets",
        "sqlalchemy.dialects.postgresql",
        "cirahub_sync.identity.vault",
    ],
)
def test_what_is_not_used_is_not_loaded(loaded: set[str], module: str) -> None:
    assert "cirahub_sync.worker" in loaded
    assert module not in loaded


def test_an_exchange_server_can_be_spoken_to_all_the_same() -> None:
    """Its library asks for more, once there is a Connection to such a server."""
    program = START.replace("print(", "import cirahub_sync.endpoints.exchange.opening\nprint(")
    loaded = set(json.loads(output(program)))
    assert "exchangelib.transport" in loaded
    assert "rich" not in loaded


def test_the_help_loads_neither_the_engine_nor_the_log() -> None:
    program = """
import sys, cirahub_operator.cli.operator
print(sorted({"structlog", "kopf", "cirahub_sync.worker"} & set(sys.modules)))
"""
    assert output(program).strip() == "[]"


CYCLES = """
import asyncio, gc, weakref
from cirahub_operator import frugality

class Knot:
    def __init__(self):
        self.self = self

"""


def test_what_a_full_collection_left_is_not_looked_at_again() -> None:
    program = (
        CYCLES
        + """
gc.disable()
kept = [Knot() for _ in range(1000)]
with frugality.short_collections():
    print(len(gc.get_objects(2)), gc.get_freeze_count() > 2000)
    more = [Knot() for _ in range(1000)]
    gc.collect()
    print(len(gc.get_objects(2)), gc.get_freeze_count() > 4000)
print(gc.get_freeze_count(), gc.callbacks)
"""
    )
    assert output(program).split() == ["0", "True", "0", "True", "0", "[]"]


def test_what_came_to_nothing_after_that_is_found_in_a_quiet_moment() -> None:
    program = (
        CYCLES
        + """
async def main():
    work = [True]
    looking = asyncio.create_task(
        frugality.collect_thoroughly(lambda: bool(work), every=0.01, patience=30.0)
    )
    knot = Knot()
    gone = weakref.ref(knot)
    gc.collect()
    del knot
    gc.collect()
    await asyncio.sleep(0.2)
    print(gone() is None)
    work.clear()
    while gone() is not None:
        await asyncio.sleep(0.01)
    looking.cancel()

with frugality.short_collections():
    asyncio.run(main())
print("found")
"""
    )
    assert output(program).split() == ["False", "found"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the GNU C library's settings")
def test_what_is_freed_goes_back_to_the_system() -> None:
    program = """
import re, threading
from pathlib import Path
from cirahub_operator import frugality

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

print(frugality.give_back())
bytearray(10_000_000)  # without a fixed threshold, what comes is taken from the heap from now on
before = resident()

def fill():
    kept.extend(bytearray(256 * 1024) for _ in range(80))
    holes.append(bytearray(100_000))

kept, holes = [], []
thread = threading.Thread(target=fill)
thread.start()
thread.join()
full = resident()
kept.clear()
print(full - before > 15_000, resident() - before < 5_000)
"""
    assert output(program).split() == ["True", "True", "True"]
