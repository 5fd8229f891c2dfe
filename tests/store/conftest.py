"""A store on whichever database, with a clock that stands still unless it is moved."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.keeps import Keep

from cirahub_sync.store.opening import Store


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(base64.b64encode(os.urandom(32)))
    return path


@pytest.fixture
def store(keep: Keep, key_file: Path, clock: Clock) -> Iterator[Store]:
    made = Store.open(keep.url, key_file, clock, steadily=clock)
    yield made
    made.close()
