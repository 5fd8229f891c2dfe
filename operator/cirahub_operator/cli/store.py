"""Where the command keeps its store on a laptop, and the key that opens it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import click
from click.core import ParameterSource
from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from cirahub_sync.store.login import has_password

KEY_BYTES = 32


class StoreOptionError(click.UsageError):
    """The database or the key file can't be used as given."""


def state_folder() -> Path:
    """`XDG_STATE_HOME/cirahub`. Source: XDG Base Directory Specification."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return Path(base) / "cirahub"


@dataclass(frozen=True)
class KeyFile:
    path: Path
    database: str

    def exists(self) -> bool:
        return self.path.is_file()

    def make(self) -> None:
        """Raises StoreOptionError if a store is there already, which no new key would open."""
        store = _sqlite_file(self.database)
        if store is not None and store.exists():
            raise StoreOptionError(
                f"the store {store} exists, and its key {self.path} does not; a new key would not "
                "open it. Bring back the key file, or, to start over, move the store away (copies "
                "are then found again by their marks only if --installation-id is what it was)"
            )
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.touch(mode=0o600, exist_ok=False)
        self.path.write_bytes(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        click.echo(
            f"Made the key file {self.path}. Keep it: the store can't be read without.", err=True
        )

    def installation(self) -> str:
        """Who we are by default: told by the key, so that it stays for as long as that is kept.
        Raises StoreOptionError if the file is not a key."""
        try:
            key = base64.b64decode(self.path.read_bytes().strip(), validate=True)
        except (OSError, binascii.Error) as error:
            raise StoreOptionError(f"the key file {self.path} cannot be read: {error}") from error
        if len(key) != KEY_BYTES:
            raise StoreOptionError(
                f"the key file {self.path} holds {len(key)} bytes, not {KEY_BYTES} in base64"
            )
        return hashlib.sha256(b"cirahub installation" + key).hexdigest()[:32]


def prepare(database: str | None, key_file: Path | None, *, init_key: bool) -> tuple[str, KeyFile]:
    """The database's URL and its key file, both existing as far as they have to. Raises
    StoreOptionError."""
    if database is None:
        database = f"sqlite:///{state_folder() / 'store.sqlite3'}"
    key = KeyFile(key_file or state_folder() / "key", database)
    if not key.exists():
        if not init_key:
            raise StoreOptionError(
                f"there is no key file {key.path}; name the right one with --key-file, or have "
                "one made with --init-key"
            )
        key.make()
    store = _sqlite_file(database)
    if store is not None:
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return database, key


def unseen(context: click.Context, option: click.Parameter, database: str | None) -> str | None:
    """A database's URL as given, without a password where others see it. Raises
    StoreOptionError."""
    seen = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    if database is not None and seen and has_password(_url(database)):
        raise StoreOptionError(
            "--database has a password in it, which everybody on this machine can see; give the "
            "URL by the variable CIRAHUB_DATABASE, or name password_file in it"
        )
    return database


def _url(database: str) -> URL:
    try:
        return make_url(database)
    except (ArgumentError, ValueError):
        # Neither told nor chained: there may be a password in it.
        raise StoreOptionError(
            "--database is no URL; write it like sqlite:///store.sqlite3 or "
            "postgresql://cirahub@db.example/cirahub"
        ) from None


def _sqlite_file(database: str) -> Path | None:
    url = _url(database)
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))
