"""A real PostgreSQL for the tests: a server in a wheel, started in a second, gone afterwards.

The programs come from ``CIRAHUB_TEST_POSTGRESQL_BIN`` (a folder with postgres, initdb, pg_dump and
pg_restore in it, as Debian's /usr/lib/postgresql/15/bin), or else from the wheel that
requirements.lock pins. Nothing needs root, and root is given up: PostgreSQL refuses to run as root.
"""

from postgres.errors import PostgresError, ProgramsMissingError, ServerFailedError
from postgres.programs import Programs
from postgres.server import Listening, Server

__all__ = [
    "Listening",
    "PostgresError",
    "Programs",
    "ProgramsMissingError",
    "Server",
    "ServerFailedError",
]
