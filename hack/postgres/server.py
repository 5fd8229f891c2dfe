"""One server with its data in a temporary folder, reached by a socket in it, and by nothing else
unless somebody asks for it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql

from cluster.watchdog import Watchdog
from postgres.errors import ServerFailedError
from postgres.programs import Programs, user

SUPERUSER = "postgres"
TAIL_LINES = 25
POLL = 0.02
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{home}'
max_connections = 60
shared_buffers = '32MB'
# A file, and not a segment that would outlive a server that is killed.
dynamic_shared_memory_type = mmap
# The data is thrown away, and a machine that loses power loses the test with it.
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
"""
# Who has a password needs it, by the socket too.
ACCESS = f"""
local all {SUPERUSER} trust
local all all scram-sha-256
"""
PORT = 5432
LISTENING = """
listen_addresses = '{address}'
# Whoever reaches it over a network has it killed while they work: what it confirmed has to stay.
synchronous_commit = on
"""
ADMITTING = """
host all {superuser} all reject
host all all {clients} scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Listening:
    """By TCP, without TLS (the wheel's server has none), to who has a password."""

    address: str
    """Of this machine, and of this server alone: the port is PostgreSQL's own."""
    clients: str
    """Whoever may come, in CIDR."""


class Server:
    """`running` starts one; it may be stopped, killed and started again meanwhile."""

    def __init__(
        self,
        programs: Programs,
        home: Path,
        watchdog: Watchdog,
        listening: Listening | None = None,
    ) -> None:
        self.programs = programs
        self.home = home
        self._listening = listening
        self._serving = programs.reachable(home)
        self._watchdog = watchdog
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def running(cls, listening: Listening | None = None) -> Iterator[Server]:
        """Nothing is left of it at the end, nor when this process is killed.

        Raises PostgresError."""
        programs = Programs.find()
        home = Path(tempfile.mkdtemp(prefix="cirahub-pg-"))
        watchdog = Watchdog(home)
        try:
            server = cls(programs, home, watchdog, listening)
            server._initialise()
            try:
                server.start()
                yield server
            finally:
                server.stop()
        finally:
            watchdog.close()

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def url(self, database: str, *, login: str = SUPERUSER) -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://{login}@/{database}?host={self.home}"

    def remote_url(self, database: str, login: str, password: str) -> str:
        """For who comes by TCP."""
        assert self._listening is not None
        at = f"{login}:{quote(password, safe='')}@{self._listening.address}:{PORT}"
        return f"postgresql://{at}/{database}?sslmode=disable"

    def start(self) -> None:
        """Raises ServerFailedError."""
        data = str(self.home / "data")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._serving["postgres"], "-D", data],
                cwd=self.home,
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **user(),  # type: ignore[call-overload]
            )
        self._watchdog.add(self._process.pid)
        while True:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError as error:
                if self._process.poll() is not None:
                    raise ServerFailedError(
                        f"postgres ended at its start.\n{self._tail()}"
                    ) from error
                time.sleep(POLL)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order, whoever is connected; SIGQUIT as a crash does. With SIGKILL its
        clients' processes end by themselves, a moment later."""
        process = self._process
        if process is None:
            return
        process.send_signal(how)
        process.wait()
        self._watchdog.discard(process.pid)
        self._process = None

    def run(self, statement: str | sql.Composed, database: str = SUPERUSER) -> list[Any]:
        """As superuser, outside of any transaction; the rows, if it has any."""
        with self._connected(database) as connection:
            answer = connection.execute(
                statement.encode() if isinstance(statement, str) else statement
            )
            return answer.fetchall() if answer.description else []

    def create(self, database: str, *, template: str = "template0") -> None:
        """`template`: a database that nobody is connected to."""
        self._about("CREATE DATABASE {} TEMPLATE {}", database, template)

    def create_owned(self, database: str, login: str, password: str) -> None:
        """A database, and who owns it, as the documentation tells people to."""
        secret = sql.Literal(password)
        role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(login), secret)
        self.run(role)
        owned = "CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0"
        self._about(owned, database, login)

    def drop(self, database: str) -> None:
        """Whoever is connected, and whether it is there or not."""
        self._about("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)

    def databases(self) -> list[str]:
        return [str(name) for (name,) in self.run("SELECT datname FROM pg_database")]

    def dump(self, database: str, file: Path) -> None:
        """As the documentation tells people to, beside whoever uses it."""
        self._program("pg_dump", ["--format=custom", f"--file={file}", database])

    def restore(self, database: str, file: Path) -> None:
        """Into a database that has nothing in it."""
        self._program("pg_restore", ["--exit-on-error", f"--dbname={database}", str(file)])

    def _about(self, statement: LiteralString, *names: str) -> None:
        self.run(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connected(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=str(self.home), user=SUPERUSER, dbname=database, autocommit=True
        )

    def _initialise(self) -> None:
        options: dict[str, Any] = dict(user())
        if options:
            shutil.chown(self.home, options["user"], options["group"])
        command: list[str | Path] = [
            *(self._serving["initdb"], "--pgdata", self.home / "data", "--username", SUPERUSER),
            *("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
        ]
        self._checked(command, cwd=self.home, **options)
        data = self.home / "data"
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(CONFIGURATION.format(home=self.home))
            if self._listening is not None:
                configuration.write(LISTENING.format(address=self._listening.address))
        access = ACCESS
        if self._listening is not None:
            access += ADMITTING.format(superuser=SUPERUSER, clients=self._listening.clients)
        (data / "pg_hba.conf").write_text(access)

    def _program(self, name: str, arguments: Sequence[str]) -> None:
        reach = [f"--host={self.home}", f"--username={SUPERUSER}", "--no-password"]
        self._checked([self.programs[name], *reach, *arguments])

    def _checked(self, command: Sequence[str | Path], **options: Any) -> None:
        done = subprocess.run(
            command,
            env={"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        if done.returncode != 0:
            raise ServerFailedError(
                f"{Path(command[0]).name} ended with {done.returncode}:\n{done.stderr}"
            )

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
