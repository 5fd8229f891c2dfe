"""A store on whichever database, with a clock that stands still unless it is moved."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.keeps import Keep, PostgreSQLKeep

from cirahub_sync.store.opening import Store

SECRET = "sesame-open-7"


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
def tenant(keep: Keep) -> PostgreSQLKeep:
    """An empty database whose owner has a password, as docs/database.md has one made."""
    assert isinstance(keep, PostgreSQLKeep)
    name = keep.name
    keep.server.run(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    keep.lose()
    keep.server.run(f"CREATE DATABASE {name} OWNER {name} ENCODING 'UTF8' TEMPLATE template0")
    return keep


def told(error: BaseException) -> str:
    """With all that it was caused by."""
    found = str(error)
    while error.__cause__ is not None:
        error = error.__cause__
        found += f"\n{error}"
    return found


@pytest.fixture
def store(keep: Keep, key_file: Path, clock: Clock) -> Iterator[Store]:
    made = Store.open(keep.url, key_file, clock, steadily=clock)
    yield made
    made.close()
