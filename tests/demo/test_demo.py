"""The demo as its viewer meets it: a process, what it says, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CONGRESS = ROOT.parent / "shared" / "data" / "us-congress-current.jsonl"
COMMAND = [sys.executable, "-u", "-m", "demo"]
WITHIN = 300
NOTHING_LEFT = re.compile(r"(http://127\.0\.0\.1:\d+)")

pytestmark = pytest.mark.usefixtures("binaries")


@pytest.fixture(scope="module")
def binaries() -> None:
    """Built before any time limit runs; the demo would build them itself."""
    from cluster import Binaries

    Binaries.find()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "hack"), "PYTHONDONTWRITEBYTECODE": "1"}


def play(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )


@contextmanager
def playing(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if wanted in line:
            return told
    raise AssertionError(f"{wanted!r} was never said:\n{told}\n{process.communicate()[1]}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError:
        return False


def test_the_quickstart_is_played_kept_up_and_cleaned_away() -> None:
    with playing("--keep") as process:
        told = read_until(process, "/requests/templates")
        urls = set(NOTHING_LEFT.findall(told))
        up = [url for url in urls if answers(url)]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors
    assert errors == ""
    assert "everything that was started is stopped" in rest
    assert len(urls) == 2, "the operator's and the simulator's"
    assert up == list(urls)
    assert [url for url in urls if answers(url)] == []
    kubeconfig = re.search(r"export KUBECONFIG=(\S+)", told)
    assert kubeconfig is not None
    assert not Path(kubeconfig[1]).exists()
    for said in (
        "hub.cirahub.io/staff",
        "ARRIVED IN",
        "A spoke receives nothing unless its manifest says so",
        "ERASED FOR GOOD",
        "writes pushed",
    ):
        assert said in told


def test_an_interruption_ends_everything_without_a_traceback() -> None:
    with playing() as process:
        told = read_until(process, "The operator")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)

    assert process.returncode == 130, errors
    assert "Interrupted" in errors
    assert "Traceback" not in rest + errors
    api = re.search(r"the API is https://127\.0\.0\.1:(\d+)", told)
    assert api is not None
    assert not answers(f"http://127.0.0.1:{api[1]}")


@pytest.mark.skipif(not CONGRESS.exists(), reason="the people of ../shared/data are not here")
def test_a_real_list_of_people_arrives_whole() -> None:
    people = [json.loads(line) for line in CONGRESS.read_bytes().splitlines()]
    offices = sum(len(person.get("offices", [])) for person in people)

    told = play("--data", str(CONGRESS))

    assert told.returncode == 0, told.stdout + told.stderr
    rows = re.findall(r"(\S+@\S+/People) +(\d+) +(\d+) +\d+ +(\d+)\n", told.stdout)
    assert {(int(p), int(o), int(different)) for _, p, o, different in rows} == {
        (len(people), offices, 0)
    }
    assert len({place for place, *_ in rows}) == 3
    assert "Every value equals that of the source mailbox and the file." in told.stdout


def test_people_that_the_simulator_does_not_take_are_named(tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text('{"id": "1", "given": "Ada", "family": "Lovelace", "shoe": 38}\n')

    told = play("--data", "people.jsonl", cwd=tmp_path)

    assert told.returncode == 1
    assert "line 1" in told.stderr
    assert "shoe" in told.stderr
    assert "Traceback" not in told.stderr
