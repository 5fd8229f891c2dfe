"""Traces: what others' rows tell of somebody who leaves."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cirahub_sync.engine.frozen import held_of, said_in
from cirahub_sync.engine.own import without_traces
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.store.earlier import Earlier, Word
from cirahub_sync.store.hub import Transaction

_replace = msgspec.structs.replace
_Row = tuple[str, str, int]
"""Spoke, item and sequence number."""


def forget_traces(tx: Transaction, items: Sequence[str]) -> None:
    """That somebody else took away what only the leaver had put in says what it was: in what they
    say now, in what they said before, in what was put back of it, and in what is held of a frozen
    field."""
    departed = tx.departed.by_item(items)
    freezes = tx.freezes.of_items(items)
    log = tx.earlier.since(items, -1)
    words = tx.rewound.said(items)
    logged: dict[_Row, OwnEdits] = {}
    put_back: dict[_Row, OwnEdits] = {}
    for item, shadows in tx.shadows.by_item(items).items():
        gone = departed.get(item, [])
        befores = [(row, row.before) for row in log.get(item, ()) if row.before is not None]
        said = [(word, word.put_back) for word in words.get(item, ()) if word.put_back is not None]
        frozen = freezes.get(item, [])
        held = [own for one in frozen for own in said_in(one)]
        owns = [
            *(shadow.own for shadow in shadows),
            *(row.own for row in gone),
            *(before.own for _, before in befores),
            *(one.own for _, one in said),
            *held,
        ]
        left = iter(without_traces(owns))
        tx.shadows.put(
            [
                _replace(shadow, own=own)
                for shadow, own in zip(shadows, left, strict=False)
                if own is not shadow.own
            ]
        )
        tx.departed.put(
            [
                _replace(row, own=own)
                for row, own in zip(gone, left, strict=False)
                if own is not row.own
            ]
        )
        logged |= zip([_key(row) for row, _ in befores], left, strict=False)
        put_back |= zip([_key(word) for word, _ in said], left, strict=False)
        for one in frozen:
            tx.freezes.put(held_of(one, next(left), next(left)))
    tx.earlier.rewrite(items, lambda row: _logged(row, logged.get(_key(row))))
    tx.rewound.rewrite(items, lambda word: _said(word, put_back.get(_key(word))))


def _key(row: Earlier | Word) -> _Row:
    return row.spoke, row.item, row.seq


def _logged(row: Earlier, own: OwnEdits | None) -> Earlier:
    if row.before is None or own is None or own is row.before.own:
        return row
    return _replace(row, before=_replace(row.before, own=own))


def _said(word: Word, own: OwnEdits | None) -> Word:
    if word.put_back is None or own is None or own is word.put_back.own:
        return word
    return _replace(word, put_back=_replace(word.put_back, own=own))
