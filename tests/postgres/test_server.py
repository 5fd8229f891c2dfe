"""The tests' own PostgreSQL lives as long as whoever started it wants, and never as root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

import postgres
from postgres import (
    Listening,
    PostgresError,
    Programs,
    ProgramsMissingError,
    Server,
    programs,
)

NEARBY = "127.0.0.54"
"""Of this machine, and not where anybody would look for a server."""
ROOM = Path(postgres.__file__).parent.parent
STARTER = """
import time
from postgres import Server
with Server.running() as server:
    print(server.pid, server.home, flush=True)
    while True:
        time.sleep(0.1)
"""


def is_running(pid: int) -> bool:
    """Not so for a zombie, which on a machine whose init does not reap is all that is left."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.usefixtures("postgresql")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_server_outlives_a_starter_that_is_killed(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        env={**os.environ, "PYTHONPATH": str(ROOM)},
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        pid, home = starter.stdout.readline().split()
        assert is_running(int(pid))
        starter.send_signal(how)
        starter.wait()
    while is_running(int(pid)) or Path(home).exists():
        time.sleep(0.05)


def test_nobody_but_its_own_folder_s_socket_leads_to_it(postgresql: Server) -> None:
    assert postgresql.run("SHOW listen_addresses") == [("",)]
    (home,) = postgresql.run("SHOW unix_socket_directories")
    assert home == (str(postgresql.home),)


def test_it_does_not_run_as_root(postgresql: Server) -> None:
    status = Path(f"/proc/{postgresql.pid}/status").read_text()
    (uids,) = [line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")]
    assert "0" not in uids


def test_data_survives_its_end_and_its_death(postgresql: Server) -> None:
    postgresql.create("kept")
    postgresql.run("CREATE TABLE t (a int)", "kept")
    try:
        for how in (signal.SIGINT, signal.SIGQUIT):
            postgresql.stop(how)
            assert postgresql.pid is None
            postgresql.start()
            assert postgresql.run("SELECT * FROM t", "kept") == []
    finally:
        postgresql.drop("kept")
    assert "kept" not in postgresql.databases()


def test_programs_that_are_not_there_are_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(programs.GIVEN, str(tmp_path))
    with pytest.raises(
        ProgramsMissingError, match=r"initdb.*make venv.*CIRAHUB_TEST_POSTGRESQL_BIN"
    ):
        Programs.find()


def test_a_dump_that_can_t_be_made_is_told(postgresql: Server, tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match=r'pg_dump ended with 1(?s:.*)"nowhere" does not exist'):
        postgresql.dump("nowhere", tmp_path / "dump")


@pytest.mark.usefixtures("postgresql")
def test_one_that_listens_lets_in_who_has_a_password_and_keeps_what_it_confirmed() -> None:
    def asked(url: str, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(url, autocommit=True) as connection:
            answer = connection.execute(statement.encode())
            return answer.fetchall() if answer.description else []

    with Server.running(Listening(NEARBY, f"{NEARBY}/8")) as server:
        server.create_owned("kept", "somebody", "their password")
        url = server.remote_url("kept", "somebody", "their password")
        asked(url, "CREATE TABLE t (a int)")
        for number in range(3):
            asked(url, f"INSERT INTO t VALUES ({number})")
            server.stop(signal.SIGQUIT)
            server.start()
        assert asked(url, "SELECT count(*) FROM t") == [(3,)]
        for stranger in ("their other", ""):
            with pytest.raises(psycopg.OperationalError, match="password"):
                asked(server.remote_url("kept", "somebody", stranger), "SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="rejects connection"):
            asked(server.remote_url("kept", "postgres", "x"), "SELECT 1")
