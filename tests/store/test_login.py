"""A password in a file is read for each new connection; tests/identity has the tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.keeps import PostgreSQLKeep

from cirahub_sync.errors import ConfigurationError, StoreError
from cirahub_sync.store.opening import Store

from .conftest import SECRET, told

pytestmark = pytest.mark.only_database("postgresql")
NEW = "sesame-open-8"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "password"
    made.write_text(f"{SECRET}\n")
    return made


@pytest.fixture
def url(tenant: PostgreSQLKeep, file: Path) -> str:
    query = f"host={tenant.server.home}&password_file={file}"
    return f"postgresql://{tenant.name}@/{tenant.name}?{query}"


@pytest.fixture
def store(url: str, key_file: Path) -> Iterator[Store]:
    made = Store.open(url, key_file, time.time)
    yield made
    made.close()


def cut(tenant: PostgreSQLKeep) -> None:
    """End the store's connections, as a server does that is restarted."""
    tenant.server.run(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{tenant.name}'"
    )


def test_a_password_that_changes_while_the_process_runs_is_read_for_new_connections(
    tenant: PostgreSQLKeep, file: Path, store: Store
) -> None:
    store.hub("hub-1")
    tenant.server.run(f"ALTER ROLE {tenant.name} PASSWORD '{NEW}'")
    assert store.hubs() == ["hub-1"], "a connection that there is goes on"
    cut(tenant)
    with pytest.raises(StoreError, match="refuses the user or the password") as caught:
        store.hubs()
    assert SECRET not in told(caught.value)
    file.write_text(NEW)
    assert store.hubs() == ["hub-1"]


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, r"cannot be read \(FileNotFoundError\)"), (b"\n", "is empty"), (b"\xff", "UnicodeDec")],
)
def test_a_password_file_that_is_no_use_is_told_by_its_name(
    url: str, file: Path, key_file: Path, content: bytes | None, why: str
) -> None:
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(
        StoreError, match=rf"cannot be logged in to: .*{file} {why}|{why}"
    ) as caught:
        Store.open(url, key_file, time.time)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("mode", ["disable", "prefer", "require", "verify-ca"])
def test_a_token_goes_to_no_server_that_has_not_proved_who_it_is(key_file: Path, mode: str) -> None:
    def token() -> str:
        raise AssertionError("nobody may ask")

    url = f"postgresql://u@db.example/d?login=entra&sslmode={mode}"
    with pytest.raises(ConfigurationError, match=f"sslmode={mode} and login=entra; .* leave ssl"):
        Store.open(url, key_file, time.time, token=token)
