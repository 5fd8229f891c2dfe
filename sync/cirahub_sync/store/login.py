"""How a process logs in to PostgreSQL where no password is in its URL: parameters of our own beside
those of libpq, whose `passfile` takes no file that a group may read, as a pod's Secret is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL

from cirahub_sync.errors import ConfigurationError, StoreError

Secret = Callable[[], str]
"""What one new connection logs in with. May wait; raises CirahubError."""

PARAMETERS = ("login", "password_file")
ENTRA = "entra"


class PasswordFile:
    """Read for each new connection, so that a password may change while the process runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> str:
        try:
            password = self._path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            # Not chained: an error of decoding has the file's bytes.
            raise StoreError(
                f"the password file {self._path} cannot be read ({type(error).__name__}); check "
                "the Secret and where it is mounted, or password_file in the URL"
            ) from None
        if not password:
            raise StoreError(f"the password file {self._path} is empty; put the password into it")
        return password


def secret_of(url: URL, token: Secret | None) -> Secret | None:
    """None: libpq finds a password by itself, or needs none. Raises ConfigurationError."""
    login, file = (url.query.get(name) for name in PARAMETERS)
    if login is None and file is None:
        return None
    if (login is not None and file is not None) or has_password(url):
        raise ConfigurationError(
            "the database URL has more than one of a password, password_file and login; leave one"
        )
    if isinstance(file, str) and Path(file).is_absolute():
        return PasswordFile(Path(file))
    if file is not None:
        raise ConfigurationError(
            "password_file in the database URL names one file, by its whole path; write it like "
            "?password_file=/etc/cirahub/database/password"
        )
    if login != ENTRA or token is None:
        raise ConfigurationError(
            f"login in the database URL can be {ENTRA} only, and that only where the engine runs; "
            "give password_file instead"
        )
    return token


def has_password(url: URL) -> bool:
    return url.password is not None or "password" in url.query
