"""What is said of a database that can't be opened: which one, why, what to do, and no secret."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.keeps import Keep, PostgreSQLKeep

from cirahub_sync.errors import CirahubError, ConfigurationError, StoreError
from cirahub_sync.store.opening import Store
from cirahub_sync.store.postgresql import PostgreSQL

from .conftest import SECRET, told

OK = "untested=accepted"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "cannot be read; write it like sqlite"),
        (f"postgresql://u:{SECRET}@h:5x/d", "cannot be read; write it like"),
        (f"mysql://u:{SECRET}@h/d", "names mysql, which a store can't be kept in"),
        (f"mssql+pyodbc://u:{SECRET}@h/d", r"names mssql\+pyodbc, which a store can't be kept in"),
        (
            f"mssql://u:{SECRET}@h/d",
            "SQL Server or Azure SQL is untested.*or say untested=accepted",
        ),
        (f"mssql://u:{SECRET}@h/d?untested=no", "SQL Server or Azure SQL is untested"),
        (f"mssql://:{SECRET}@h/d?{OK}", "names no user; write it like mssql://"),
        (f"mssql://u:{SECRET}@h?{OK}", "names a host and a database; write it like mssql://"),
        (f"mssql://u:{SECRET}@h/d?{OK}&driver=x", "has driver, which is no parameter for SQL"),
        (f"mssql://u:{SECRET}@h/d?{OK}&Encrypt=no&Encrypt=yes", "has Encrypt more than once"),
        (f"mssql://u:{SECRET}@h/d?{OK}&login=entra", "more than one of a password"),
        (f"mssql://h/d?{OK}&login=entra", "only where the engine runs"),
        (f"postgresql+asyncpg://u:{SECRET}@h/d", "names postgresql\\+asyncpg"),
        (f"postgresql://u:{SECRET}@h/d?sslmod=x", "sslmod"),
        (f"postgresql://u:{SECRET}@h/d?login=entra", "more than one of a password"),
        (f"postgresql://u@h/d?password={SECRET}&password_file=/p", "more than one of a password"),
        ("postgresql://u@h/d?login=entra&password_file=/p", "more than one of a password"),
        ("postgresql://u@h/d?password_file=p", "by its whole path"),
        ("postgresql://u@h/d?password_file=/p&password_file=/q", "names one file"),
        ("postgresql://u@h/d?login=azure", "can be entra only"),
        ("postgresql://u@h/d?login=entra", "only where the engine runs"),
    ],
)
def test_a_url_that_is_none_is_told_without_what_is_secret_in_it(
    url: str, why: str, key_file: Path
) -> None:
    with pytest.raises(CirahubError, match=why) as caught:
        Store.open(url, key_file, time.time)
    assert SECRET not in told(caught.value)
    assert isinstance(caught.value, ConfigurationError)


@pytest.mark.only_database("postgresql")
@pytest.mark.parametrize(
    ("login", "database", "why"),
    [
        ("{name}:wrong-1", "{name}", "refuses the user or the password"),
        ("{name}", "{name}", "wants a password; give one in CIRAHUB_DATABASE or PGPASSWORD"),
        (f"stranger:{SECRET}", "{name}", "refuses the user or the password"),
        (f"{{name}}:{SECRET}", "nowhere", "no database of that name; make it: CREATE DATABASE"),
    ],
)
def test_who_is_not_let_in_is_told_why(
    tenant: PostgreSQLKeep, key_file: Path, login: str, database: str, why: str
) -> None:
    login, database = login.format(name=tenant.name), database.format(name=tenant.name)
    url = f"postgresql://{login}@/{database}?host={tenant.server.home}"
    with pytest.raises(StoreError, match=why) as caught:
        Store.open(url, key_file, time.time)
    assert f"the database {database} on {tenant.server.home}" in str(caught.value)
    assert SECRET not in told(caught.value)
    assert "wrong-1" not in told(caught.value)


@pytest.mark.only_database("postgresql")
def test_a_password_may_come_from_the_environment(
    tenant: PostgreSQLKeep, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", SECRET)
    url = f"postgresql://{tenant.name}@/{tenant.name}?host={tenant.server.home}"
    Store.open(url, key_file, time.time).close()


@pytest.mark.parametrize(
    ("where", "verified"),
    [
        ("db.example/d", True),
        ("/d?host=a.example:5432&host=b.example:5432", True),
        ("/d?host=a.example,b.example", True),
        ("/d?host=/run/postgresql&host=b.example", True),
        ("db.example/d?sslmode=require", False),
        ("localhost/d", False),
        ("/d", False),
        ("/d?host=/run/postgresql", False),
        ("/d?hostaddr=192.0.2.1", True),
        ("/d?host=/run/postgresql&hostaddr=127.0.0.1,192.0.2.1", True),
        ("/d?hostaddr=127.0.0.1", False),
        ("/d?service=main", True),
    ],
)
def test_a_server_elsewhere_has_to_prove_who_it_is(where: str, verified: bool) -> None:
    query = PostgreSQL.connect(make_url(f"postgresql://u@{where}")).engine.url.query
    assert (query.get("sslmode") == "verify-full") == verified
    assert bool(query.get("sslrootcert")) == verified


@pytest.mark.parametrize(
    ("variable", "value", "verified"),
    [
        ("PGHOST", "db.example", True),
        ("PGHOST", "/run/postgresql", False),
        ("PGHOSTADDR", "192.0.2.1", True),
        ("PGSERVICE", "main", True),
    ],
)
def test_a_server_that_the_environment_names_has_to_prove_who_it_is(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, verified: bool
) -> None:
    monkeypatch.setenv(variable, value)
    query = PostgreSQL.connect(make_url("postgresql:///d")).engine.url.query
    assert (query.get("sslmode") == "verify-full") == verified


@pytest.mark.only_database("postgresql")
def test_a_server_that_has_too_many_connections_says_so(
    tenant: PostgreSQLKeep, key_file: Path
) -> None:
    tenant.server.run(f"ALTER DATABASE {tenant.name} CONNECTION LIMIT 0")
    url = f"postgresql://{tenant.name}:{SECRET}@/{tenant.name}?host={tenant.server.home}"
    with pytest.raises(StoreError, match="too many connections; raise"):
        Store.open(url, key_file, time.time)


def test_a_server_that_is_not_there_is_told(key_file: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the database d on .* cannot be reached; check that it"):
        Store.open(f"postgresql://u:{SECRET}@/d?host={tmp_path}", key_file, time.time)


@pytest.mark.only_database("postgresql")
def test_who_may_make_no_tables_is_told_what_to_be(keep: Keep, key_file: Path) -> None:
    assert isinstance(keep, PostgreSQLKeep)
    keep.lose()
    keep.server.create(keep.name)
    role = f"guest_{keep.name}"
    keep.server.run(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'")
    url = f"postgresql://{role}:{SECRET}@/{keep.name}?host={keep.server.home}"
    with pytest.raises(StoreError, match="lacks a privilege; make it the owner"):
        Store.open(url, key_file, time.time)


@pytest.mark.only_database("postgresql")
def test_a_database_that_can_t_hold_every_text_is_refused(keep: Keep, key_file: Path) -> None:
    assert isinstance(keep, PostgreSQLKeep)
    keep.lose()
    keep.server.run(f"CREATE DATABASE {keep.name} TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(ConfigurationError, match="encoded in LATIN1; make it anew with ENCODING"):
        Store.open(keep.url, key_file, time.time)


@pytest.mark.every_database
def test_a_schema_of_a_newer_version_is_left_alone(keep: Keep, key_file: Path) -> None:
    keep.change("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="the schema 9999 of a newer version") as caught:
        Store.open(keep.url, key_file, time.time)
    assert caught.value.stalled
    assert keep.rows("SELECT version_num FROM alembic_version") == [("9999",)]
