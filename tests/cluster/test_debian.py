"""Debian's packages: what is here is not asked for, and what can't be had is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cluster import BinariesMissingError, debian
from cluster.progress import Progress

THERE = {"sh": "dash", "/etc": "base-files"}
LACKING = {"no-such-program": "frobnicator", "/no/such/file": "libfrobnicator"}


def test_what_is_here_is_not_lacking() -> None:
    assert debian.lacking(THERE) == []
    assert debian.obstacle(THERE) is None
    assert debian.lacking(THERE | LACKING) == ["frobnicator", "libfrobnicator"]


def test_a_machine_without_apt_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "SEARCHED", str(tmp_path))

    with pytest.raises(BinariesMissingError, match=r"needs frobnicator .*no apt-get.* by hand"):
        debian.install(LACKING, Progress())


def test_only_root_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apt-get").touch(mode=0o755)
    monkeypatch.setattr(debian, "SEARCHED", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert debian.obstacle(LACKING) == (
        "needs frobnicator and libfrobnicator, which only root may install"
    )
