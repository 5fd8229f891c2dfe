"""`hack/bootstrap`: what runs before anything is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap import progress, stamp
from bootstrap.environment import Environment
from bootstrap.errors import BootstrapError

from .conftest import House


def bootstrap(house: House, python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [house.root / "hack/bootstrap/run", *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def interpreter(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_an_interpreter_that_is_too_old_is_named_with_what_to_do(
    house: House, tmp_path: Path
) -> None:
    old = interpreter(tmp_path / "python3", "echo 'it is 3.8.1; 3.11 or newer is needed'; exit 1")

    told = bootstrap(house, old)

    assert told.returncode == 1
    assert "3.8.1" in told.stderr
    assert "make PYTHON=" in told.stderr


def test_without_any_interpreter_it_says_which_names_were_tried(
    house: House, tmp_path: Path
) -> None:
    told = bootstrap(house, str(tmp_path / "absent"))

    assert told.returncode == 1
    assert "absent" in told.stderr


def test_the_first_usable_interpreter_is_taken(house: House, tmp_path: Path) -> None:
    broken = interpreter(tmp_path / "broken", "exit 1")

    told = bootstrap(house, f"{broken} {sys.executable}", "--help")

    assert told.returncode == 0, told.stderr
    assert "usage: hack/bootstrap/run" in told.stdout


def test_an_interrupted_installation_is_done_again(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("one==1\n")
    packages = stamp.packages(tmp_path, lock)
    packages.set()
    assert stamp.packages(tmp_path, lock).holds()

    packages.remove()

    assert not stamp.packages(tmp_path, lock).holds()


def test_a_changed_lock_makes_the_environment_again(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("one==1\n")
    stamp.packages(tmp_path, lock).set()

    lock.write_text("one==2\n")

    assert not stamp.packages(tmp_path, lock).holds()


def test_a_failed_installation_leaves_no_stamp_and_shows_what_pip_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "pyproject.toml").touch()
    lock = tmp_path / "requirements.lock"
    lock.write_text("no-such-thing==1  # without a hash\n")
    environment = Environment(tmp_path)

    with pytest.raises(BootstrapError, match="no-such-thing"):
        environment.prepare()

    assert environment.python.exists()
    assert not stamp.packages(environment.directory, lock).holds()


def test_progress_counts_the_packages_and_keeps_the_last_lines() -> None:
    shown = progress.Condensed("installing", ("Collecting ",), 2)
    script = "print('Collecting one==1'); print('noise'); print('Collecting two==2')"

    exit_code = progress.run([sys.executable, "-c", script], shown)

    assert exit_code == 0
    assert shown.text(3.2) == "installing (3 s): 2/2 Collecting two==2"
    assert list(shown.tail) == ["Collecting one==1", "noise", "Collecting two==2"]
