"""What can go wrong with the server, as one small tree; each message says what to do."""


class PostgresError(Exception):
    """Root of everything this package raises on purpose."""


class ProgramsMissingError(PostgresError):
    """No PostgreSQL to start."""


class ServerFailedError(PostgresError):
    """The server did not start, or a program of its did not succeed. With its last words."""
