"""What pushing keeps of requests: each is intended before it leaves."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update

from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.membership import of_hub
from cirahub_sync.store.rows import Action, Intent
from cirahub_sync.store.tables import intents

_ABANDONED = Listed(
    lambda keys: select(intents.c.key).where(intents.c.key.in_(keys), intents.c.abandoned.is_(True))
)
_ABANDON = Listed(
    lambda keys: update(intents).where(intents.c.key.in_(keys)).values(abandoned=True)
)
_OPEN = Prepared(
    select(intents).where(intents.c.spoke == bindparam("spoke"), intents.c.abandoned.is_(False))
)
_OPEN_ANYWHERE = Prepared(
    select(intents).where(of_hub(intents.c.spoke, bindparam("hub")), intents.c.abandoned.is_(False))
)
_EXPIRE = Prepared(
    delete(intents).where(
        intents.c.hub == bindparam("hub"),
        intents.c.abandoned.is_(True),
        intents.c.created_at < bindparam("before"),
    )
)
_CLOSE = Listed(lambda keys: delete(intents).where(intents.c.key.in_(keys)))


class IntentTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def put(self, rows: Sequence[Intent]) -> None:
        self._database.upsert(
            self._connection,
            intents,
            [
                {**msgspec.structs.asdict(row), "hub": self._hub, "action": row.action.value}
                for row in rows
            ],
        )

    def open(self, spoke: str) -> list[Intent]:
        """Requests whose outcome is not known."""
        return [_intent(row) for row in _OPEN.rows(self._connection, spoke=spoke)]

    def open_anywhere(self) -> dict[str, list[Intent]]:
        """The same by spoke, of all of the hub's; who has none is left out."""
        found: dict[str, list[Intent]] = {}
        for row in _OPEN_ANYWHERE.rows(self._connection, hub=self._hub):
            found.setdefault(row.spoke, []).append(_intent(row))
        return found

    def items(self) -> set[str]:
        """Of requests whose outcome is not known."""
        return {
            item
            for (item,) in self._connection.execute(
                select(intents.c.item).where(
                    intents.c.hub == self._hub, intents.c.abandoned.is_(False)
                )
            )
        }

    def abandoned(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that were looked for once and not found."""
        return {row.key for row in _ABANDONED.rows(self._connection, keys)}

    def abandon(self, keys: Sequence[str]) -> None:
        _ABANDON.run(self._connection, keys)

    def remove(self, keys: Sequence[str]) -> None:
        _CLOSE.run(self._connection, keys)

    def expire(self, before: float) -> None:
        """Forget abandoned ones from before `before`: their effect can't arrive any more."""
        _EXPIRE.run(self._connection, hub=self._hub, before=before)


def _intent(row: Found) -> Intent:
    return Intent(
        key=row.key,
        spoke=row.spoke,
        item=row.item,
        action=Action(row.action),
        remote=row.remote,
        item_seq=row.item_seq,
        fingerprint=row.fingerprint,
        abandoned=bool(row.abandoned),
        created_at=row.created_at,
    )
