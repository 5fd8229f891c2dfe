"""A store that an earlier version wrote goes on with this one, and forgets what that one left."""

from __future__ import annotations

import base64
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event

from cirahub_sync.model.codec import encode_item
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.kind import as_contact
from cirahub_sync.store import database as module
from cirahub_sync.store.crypto import load_key
from cirahub_sync.store.database import Database, head
from cirahub_sync.store.keyring import Keyring
from cirahub_sync.store.opening import Store
from cirahub_sync.store.sqlite import SQLite

MIGRATIONS = Path(module.__file__).with_name("migrations")


def _written_by(revision: str, path: Path, key_file: Path) -> None:
    """A store as the version of that schema left it: one hub with one item."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _as_it_was(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA secure_delete=OFF")

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    with engine.begin() as connection:
        upgrade(connection)
    database = Database(SQLite(engine))
    keyring = Keyring(load_key(key_file))
    keyring.verify(database)
    cipher = keyring.cipher(database, "hub-1")
    content = cipher.seal(encode_item(Contact(display_name="Ann")), "items/hub-1/item-1")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO items (hub, id, seq, alive, erased, fingerprint, content)"
            " VALUES ('hub-1', 'item-1', 1, 1, 0, ?, ?)",
            (bytes(16), content),
        )
        connection.exec_driver_sql(
            "INSERT INTO passes (hub, started, report) VALUES ('hub-1', 1.0, ?)",
            (b"deleted by the earlier version",),
        )
        connection.exec_driver_sql("DELETE FROM passes")
    engine.dispose()


def _files(path: Path) -> bytes:
    return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))


def test_a_store_of_the_first_schema_goes_on(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_bytes(base64.b64encode(os.urandom(32)))
    path = tmp_path / "store.sqlite3"
    _written_by("0001", path, key_file)
    assert b"deleted by the earlier version" in _files(path)
    store = Store.open(f"sqlite:///{path}", key_file, lambda: 0.0)
    with store.database.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "0019"
    with store.hub("hub-1").read() as tx:
        (item,) = tx.items.after(0, 10)
    assert (as_contact(item.content).display_name, item.died_of) == ("Ann", None)
    assert store.leavers() == []
    store.close()
    assert b"deleted by the earlier version" not in _files(path)


def test_who_had_received_before_there_were_stages_has_had_its_first_sync(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_bytes(base64.b64encode(os.urandom(32)))
    path = tmp_path / "store.sqlite3"
    _written_by("0010", path, key_file)
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO spokes (uid, hub, rank, place, contributes_key, receives_key, mark,"
            " verified_at) VALUES (?, 'hub-1', 0, 'p', '', '', ?, 0)",
            [("old", 7), ("new", 0)],
        )
    connection.close()
    store = Store.open(f"sqlite:///{path}", key_file, lambda: 0.0)
    with store.hub("hub-1").read() as tx:
        assert {uid: row.allowed for uid, row in tx.spokes().items()} == {"old": None, "new": 0}
    store.close()


def test_the_newest_revision_is_the_one_that_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert head() == ScriptDirectory.from_config(config).get_current_head()


def test_a_schema_that_is_current_is_opened_without_what_migrates(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    Database.open(url).engine.dispose()
    program = (
        "import sys; from cirahub_sync.store.database import Database; "
        f"Database.open({url!r}).engine.dispose(); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
