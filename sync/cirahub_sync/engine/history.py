"""History: when a spoke's own edits change, what they were is kept for a while, so that a person
can put it back.

It is a log of the fold's inputs, not of items: one entry for each change, with the edits that were
superseded by it. What a spoke says of an item at first sight needs none, since edits say at which
sequence number they came. Where nobody's user changed anything, but a filter, a
mapping, a direction, or what an event's owner lets others see, the log of the item begins anew:
what must not be shown any more is not kept to be put back either.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from cirahub_sync.engine.authority import role_of
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.model.earlier import Before, stripped, superseded
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.event import Role
from cirahub_sync.store.earlier import Earlier, Word
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Shadow
from cirahub_sync.store.shadows import REJUDGE

_Moved = Callable[[OwnEdits], OwnEdits]


class Recorder:
    """Of one spoke, for a chunk of its changes: they are written together."""

    def __init__(self, context: PassContext, run: SpokeRun, tx: Transaction) -> None:
        self._context = context
        self._run = run
        self._tx = tx
        self._rows: list[Earlier] = []
        self._withheld: dict[str, None] = {}
        self._rejudged: dict[str, None] = {}

    def changed(self, shadow: Shadow, own: OwnEdits, seq: int, *, admitted: bool) -> None:
        """Its edits are `own` from now on."""
        item = shadow.item
        if item is None:
            return
        if not admitted or role_of(own) == Role.MASKED.value:
            self._withheld[item] = None
        elif shadow.etag == REJUDGE:
            if shadow.own and own != shadow.own:
                self._rejudged[item] = None
        else:
            before = Before(superseded(shadow.own, own))
            self._rows.append(Earlier(self._run.uid, item, seq, before))

    def write(self) -> None:
        tx, uid = self._tx, self._run.uid
        tx.earlier.add(self._rows)
        self._rows = []
        if self._withheld:
            withhold(tx, uid, list(self._withheld))
        if self._rejudged:
            tx.earlier.forget(uid, list(self._rejudged), tx.next_seq())
            fields = set(self._context.kind.fields)
            fields -= self._run.contributes.fields | self._run.receives.fields
            strip_words(tx, uid, list(self._rejudged), fields)
        self._withheld, self._rejudged = {}, {}


def withhold(tx: Transaction, spoke: str, items: Sequence[str]) -> None:
    """What the spoke had said of these items is not to be known any more."""
    if items:
        tx.earlier.forget(spoke, items, tx.next_seq())
        tx.rewound.remove(spoke, items)


def copy_gone(tx: Transaction, spoke: str, item: str, shadow: Shadow | None, *, user: bool) -> None:
    """A copy of ours is not there any more, by its `user`'s doing or by ours, and with it what its
    user had changed."""
    own = shadow.own if shadow is not None else OwnEdits()
    seq = tx.next_seq() if user or own else 0
    if seq:
        tx.earlier.add([Earlier(spoke, item, seq, Before(own, copy=user))])
    if own:
        tx.rewound.lift(spoke, [item], seq)


def natives_come(tx: Transaction, spoke: str, items: Sequence[str]) -> None:
    """The spoke's user has items of their own for these, which say anew what they say: what they
    had contributed before they deleted it is of the past."""
    rows = [
        row for rows in tx.departed.by_item(items).values() for row in rows if row.spoke == spoke
    ]
    if rows:
        tx.earlier.add(
            [
                Earlier(
                    spoke,
                    row.item,
                    tx.seq,
                    Before(row.own, gone_at=None if row.restored else row.gone_at),
                )
                for row in rows
            ]
        )
    tx.rewound.lift(spoke, items, tx.seq)


def strip(tx: Transaction, spoke: str, fields: Iterable[str], count: int) -> list[str]:
    """Nothing of these fields is kept of what the spoke said. Returns the items of which something
    was put back."""
    fields = frozenset(fields)

    def logged(row: Earlier) -> Earlier:
        if row.spoke != spoke or row.before is None:
            return row
        own = stripped(row.before.own, fields)
        if own == row.before.own:
            return row
        return msgspec.structs.replace(row, before=msgspec.structs.replace(row.before, own=own))

    after = ""
    while found := tx.earlier.items_of(spoke, after, count):
        after = found[-1]
        tx.earlier.rewrite(found, logged)
    after = ""
    touched: list[str] = []
    while found := tx.rewound.items_of(spoke, after, count):
        after = found[-1]
        strip_words(tx, spoke, found, fields)
        touched += found
    return touched


def strip_words(tx: Transaction, spoke: str, items: Sequence[str], fields: Iterable[str]) -> None:
    """Of what was put back of the spoke's part of these items, these fields count no more."""
    fields = frozenset(fields)

    def said(word: Word) -> Word:
        if word.spoke != spoke or word.put_back is None:
            return word
        own = stripped(word.put_back.own, fields)
        if own == word.put_back.own:
            return word
        put_back = msgspec.structs.replace(word.put_back, own=own)
        return msgspec.structs.replace(word, put_back=put_back)

    tx.rewound.rewrite(items, said)


def forget_of(tx: Transaction, spoke: str, count: int) -> list[str]:
    """Nothing of what the spoke's part of some items was, or of what was put back of it, is kept.
    Returns the items; none when all is done."""
    found = tx.earlier.items_of(spoke, "", count) or tx.rewound.items_of(spoke, "", count)
    tx.earlier.remove(spoke, found)
    tx.rewound.remove(spoke, found)
    return found


def follow(tx: Transaction, old: str, new: str, spokes: Collection[str], moved: _Moved) -> None:
    """What these spokes' parts of an item were is of another item from now on, with edits as
    `moved` makes them."""

    def logged(row: Earlier) -> Earlier:
        if row.spoke not in spokes:
            return row
        before = row.before
        if before is not None:
            before = msgspec.structs.replace(before, own=moved(before.own))
        return msgspec.structs.replace(row, item=new, before=before)

    def said(word: Word) -> Word:
        if word.spoke not in spokes:
            return word
        put_back = word.put_back
        if put_back is not None:
            put_back = msgspec.structs.replace(put_back, own=moved(put_back.own))
        return msgspec.structs.replace(word, item=new, put_back=put_back)

    tx.earlier.rewrite([old], logged)
    tx.rewound.rewrite([old], said)
