"""Earlier moments: which sequence number the hub had when, what spokes' own edits were before they
changed, and which of them a person put back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select

from cirahub_sync.model.earlier import Before, PutBack, decode_before, decode_put_back, encode
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.tables import departed, earlier, items, moments, rewound

_LAST_MOMENT = Prepared(select(func.max(moments.c.seq)).where(moments.c.hub == bindparam("hub")))
_LAST_UNTIL = Prepared(
    select(moments)
    .where(moments.c.hub == bindparam("hub"), moments.c.at <= bindparam("until"))
    .order_by(moments.c.seq.desc())
    .limit(1)
)
_ANY_WORD = Prepared(select(rewound.c.item).where(rewound.c.hub == bindparam("hub")).limit(1))
_SINCE_OF_ITEMS = Listed(
    lambda ids: (
        select(earlier)
        .where(
            earlier.c.hub == bindparam("hub"),
            earlier.c.item.in_(ids),
            earlier.c.seq > bindparam("after"),
        )
        .order_by(earlier.c.item, earlier.c.spoke, earlier.c.seq.desc())
    )
)
_FORGET_OF = Listed(
    lambda ids: delete(earlier).where(
        earlier.c.hub == bindparam("hub"),
        earlier.c.item.in_(ids),
        earlier.c.spoke == bindparam("spoke"),
    )
)
_WORDS_OF_ITEMS = Listed(
    lambda ids: (
        select(rewound)
        .where(rewound.c.hub == bindparam("hub"), rewound.c.item.in_(ids))
        .order_by(rewound.c.item, rewound.c.spoke, rewound.c.seq)
    )
)
_FORGET_WORDS = Listed(
    lambda ids: delete(rewound).where(
        rewound.c.hub == bindparam("hub"),
        rewound.c.item.in_(ids),
        rewound.c.spoke == bindparam("spoke"),
    )
)


class Moment(msgspec.Struct, frozen=True):
    """That the hub had come to `seq` at `at` (POSIX seconds), and not further."""

    seq: int
    at: float


class Earlier(msgspec.Struct, frozen=True):
    """What of a spoke's part of an item changed at `seq`."""

    spoke: str
    item: str
    seq: int
    before: Before | None
    """None: nothing is known of what it was before."""


class Word(msgspec.Struct, frozen=True):
    """What a person said at `seq` of a spoke's part of an item."""

    spoke: str
    item: str
    seq: int
    put_back: PutBack | None
    """None: what is said there counts, as if nothing had been put back."""


class MomentTable:
    def __init__(self, connection: Connection, hub: str) -> None:
        self._connection = connection
        self._hub = hub

    def note(self, seq: int, at: float) -> None:
        """Nothing, unless something changed since the last one."""
        if _LAST_MOMENT.value(self._connection, hub=self._hub) != seq:
            self._connection.execute(insert(moments).values(hub=self._hub, seq=seq, at=at))

    def last_until(self, at: float) -> Moment | None:
        rows = _LAST_UNTIL.rows(self._connection, hub=self._hub, until=at)
        return next((Moment(row.seq, row.at) for row in rows), None)

    def first(self) -> Moment | None:
        row = self._connection.execute(
            select(moments).where(moments.c.hub == self._hub).order_by(moments.c.seq).limit(1)
        ).first()
        return None if row is None else Moment(row.seq, row.at)

    def after(self, seq: int) -> list[Moment]:
        """Those in which the hub had come further than that, the first one first."""
        rows = self._connection.execute(
            select(moments)
            .where(moments.c.hub == self._hub, moments.c.seq > seq)
            .order_by(moments.c.seq)
        )
        return [Moment(row.seq, row.at) for row in rows]

    def expire(self, before: float) -> int | None:
        """Forget those from before the last one until `before`. Returns its number, if any were
        there."""
        last = self.last_until(before)
        if last is None:
            return None
        done = self._connection.execute(
            delete(moments).where(moments.c.hub == self._hub, moments.c.seq < last.seq)
        )
        return last.seq if done.rowcount else None


class EarlierTable:
    """The log of spokes' own edits."""

    def __init__(
        self, connection: Connection, database: Database, hub: str, cipher: Cipher
    ) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher

    def add(self, rows: Sequence[Earlier]) -> None:
        self._database.upsert(
            self._connection,
            earlier,
            [
                {
                    "hub": self._hub,
                    "item": row.item,
                    "spoke": row.spoke,
                    "seq": row.seq,
                    "sealed": None
                    if row.before is None
                    else self._cipher.seal(encode(row.before), _identity("earlier", row)),
                }
                for row in rows
            ],
        )

    def forget(self, spoke: str, ids: Sequence[str], seq: int) -> None:
        """Nothing of what the spoke said of these items before `seq` is known from now on."""
        self.remove(spoke, ids)
        self.add([Earlier(spoke, item, seq, None) for item in dict.fromkeys(ids)])

    def remove(self, spoke: str, ids: Sequence[str]) -> None:
        _FORGET_OF.run(self._connection, ids, hub=self._hub, spoke=spoke)

    def since(self, ids: Sequence[str], seq: int) -> dict[str, list[Earlier]]:
        """What changed after `seq`, by item; each spoke's newest first."""
        found: dict[str, list[Earlier]] = {}
        for row in _SINCE_OF_ITEMS.rows(self._connection, ids, hub=self._hub, after=seq):
            found.setdefault(row.item, []).append(self._opened(row))
        return found

    def changed_in(self, spoke: str, seq: int) -> list[str]:
        """Items of which the spoke's part changed after `seq`."""
        rows = self._connection.execute(
            select(earlier.c.item)
            .where(earlier.c.hub == self._hub, earlier.c.seq > seq, earlier.c.spoke == spoke)
            .distinct()
        )
        return [item for (item,) in rows]

    def items_of(self, spoke: str, after: str, count: int) -> list[str]:
        """By id, from after `after`."""
        rows = self._connection.execute(
            select(earlier.c.item)
            .where(earlier.c.hub == self._hub, earlier.c.item > after, earlier.c.spoke == spoke)
            .distinct()
            .order_by(earlier.c.item)
            .limit(count)
        )
        return [item for (item,) in rows]

    def rewrite(self, ids: Sequence[str], change: Callable[[Earlier], Earlier | None]) -> None:
        """Change the rows of these items; None takes one out."""
        for rows in self.since(ids, -1).values():
            made = [(row, change(row)) for row in rows]
            self._remove([row for row, new in made if new is not row])
            self.add([new for row, new in made if new is not None and new is not row])

    def expire(self, seq: int) -> None:
        """Forget what changed up to `seq`."""
        self._connection.execute(
            delete(earlier).where(earlier.c.hub == self._hub, earlier.c.seq <= seq)
        )

    def _remove(self, rows: Iterable[Earlier]) -> None:
        for row in rows:
            self._connection.execute(
                delete(earlier).where(
                    earlier.c.hub == self._hub,
                    earlier.c.item == row.item,
                    earlier.c.spoke == row.spoke,
                    earlier.c.seq == row.seq,
                )
            )

    def _opened(self, row: Found) -> Earlier:
        found = Earlier(row.spoke, row.item, row.seq, None)
        if row.sealed is None:
            return found
        opened = self._cipher.open(row.sealed, _identity("earlier", found))
        return Earlier(row.spoke, row.item, row.seq, decode_before(opened))


class RewoundTable:
    """What people put back: of each spoke's part of an item the last word counts."""

    def __init__(
        self, connection: Connection, database: Database, hub: str, cipher: Cipher
    ) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher
        self._any: bool | None = None

    def any(self) -> bool:
        """Whether anything was ever put back: almost never, and asked by every fold."""
        if self._any is None:
            self._any = _ANY_WORD.value(self._connection, hub=self._hub) is not None
        return self._any

    def put(self, rows: Sequence[Word]) -> None:
        self._any = self._any or bool(rows)
        self._database.upsert(
            self._connection,
            rewound,
            [
                {
                    "hub": self._hub,
                    "item": row.item,
                    "spoke": row.spoke,
                    "seq": row.seq,
                    "sealed": None
                    if row.put_back is None
                    else self._cipher.seal(encode(row.put_back), _identity("rewound", row)),
                }
                for row in rows
            ],
        )

    def said(self, ids: Sequence[str]) -> dict[str, list[Word]]:
        """All words, by item; each spoke's last one last."""
        found: dict[str, list[Word]] = {}
        if self.any():
            for row in _WORDS_OF_ITEMS.rows(self._connection, ids, hub=self._hub):
                found.setdefault(row.item, []).append(self._opened(row))
        return found

    def counting(self, ids: Sequence[str]) -> dict[str, list[Word]]:
        """The words that count, by item."""
        found: dict[str, list[Word]] = {}
        for item, words in self.said(ids).items():
            last = {word.spoke: word for word in words}
            if kept := [word for word in last.values() if word.put_back is not None]:
                found[item] = kept
        return found

    def lift(self, spoke: str, ids: Sequence[str], seq: int) -> None:
        """What was put back of the spoke's part of these items counts no more."""
        self.put(
            [
                Word(spoke, item, seq, None)
                for item, words in self.counting(ids).items()
                if any(word.spoke == spoke for word in words)
            ]
        )

    def remove(self, spoke: str, ids: Sequence[str]) -> None:
        if self.any():
            _FORGET_WORDS.run(self._connection, ids, hub=self._hub, spoke=spoke)

    def items_of(self, spoke: str, after: str, count: int) -> list[str]:
        """By id, from after `after`."""
        rows = self._connection.execute(
            select(rewound.c.item)
            .where(rewound.c.hub == self._hub, rewound.c.item > after, rewound.c.spoke == spoke)
            .distinct()
            .order_by(rewound.c.item)
            .limit(count)
        )
        return [item for (item,) in rows]

    def said_since(self, spoke: str, seq: int) -> list[str]:
        """Items of whose part of the spoke something was said after `seq`."""
        rows = self._connection.execute(
            select(rewound.c.item)
            .where(rewound.c.hub == self._hub, rewound.c.spoke == spoke, rewound.c.seq > seq)
            .distinct()
        )
        return [item for (item,) in rows]

    def rewrite(self, ids: Sequence[str], change: Callable[[Word], Word | None]) -> None:
        """Change the rows of these items; None takes one out."""
        for words in self.said(ids).values():
            made = [(word, change(word)) for word in words]
            self._remove([word for word, new in made if new is not word])
            self.put([new for word, new in made if new is not None and new is not word])

    def expire(self, seq: int) -> None:
        """Forget words up to `seq` that do not count: a later one does, or it takes one back."""
        other = rewound.alias()
        later = select(other.c.seq).where(
            other.c.hub == rewound.c.hub,
            other.c.item == rewound.c.item,
            other.c.spoke == rewound.c.spoke,
            other.c.seq > rewound.c.seq,
        )
        self._connection.execute(
            delete(rewound).where(
                rewound.c.hub == self._hub,
                rewound.c.seq <= seq,
                or_(later.exists(), rewound.c.sealed.is_(None)),
            )
        )

    def purge(self) -> None:
        """Forget those of which neither the item nor anything that was contributed is left."""
        if not self.any():
            return
        known = select(items.c.id).where(items.c.hub == rewound.c.hub, items.c.id == rewound.c.item)
        kept = select(departed.c.item).where(
            departed.c.hub == rewound.c.hub, departed.c.item == rewound.c.item
        )
        self._connection.execute(
            delete(rewound).where(rewound.c.hub == self._hub, ~known.exists(), ~kept.exists())
        )

    def _remove(self, words: Iterable[Word]) -> None:
        for word in words:
            self._connection.execute(
                delete(rewound).where(
                    rewound.c.hub == self._hub,
                    rewound.c.item == word.item,
                    rewound.c.spoke == word.spoke,
                    rewound.c.seq == word.seq,
                )
            )

    def _opened(self, row: Found) -> Word:
        found = Word(row.spoke, row.item, row.seq, None)
        if row.sealed is None:
            return found
        opened = self._cipher.open(row.sealed, _identity("rewound", found))
        return Word(row.spoke, row.item, row.seq, decode_put_back(opened))


def _identity(table: str, row: Earlier | Word) -> str:
    return f"{table}/{row.spoke}/{row.item}/{row.seq}"
