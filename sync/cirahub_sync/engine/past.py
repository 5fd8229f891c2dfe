"""The past of an item: what each spoke's part of it was at an earlier moment, beside what it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import msgspec

from cirahub_sync.configuration import DeletedBy
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.inputs import untouched
from cirahub_sync.errors import DecisionError
from cirahub_sync.model.earlier import PutBack, as_of, over, put_back, until
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.store.departed import Departed
from cirahub_sync.store.earlier import Earlier, Moment, Word
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import ReplicaState, Shadow

_EVER = 1 << 62
"""A sequence number that none comes after."""


class Part(msgspec.Struct, frozen=True):
    """One spoke's part of an item: what it says by itself (None: it has no part), what of that
    counts now, and what counted then."""

    spoke: str
    native: bool
    said: OwnEdits | None
    now: OwnEdits
    then: OwnEdits
    known: bool = True
    """Whether it is known what it was."""
    there: bool = False
    """Whether it was a native item then."""
    undeleted: bool = False
    copy: bool = False

    @property
    def added(self) -> bool:
        """Whether its user put it there since."""
        return self.native and self.known and not self.there

    @property
    def changed(self) -> bool:
        return self.now != self.then or self.undeleted or self.copy

    def word(self) -> PutBack | None:
        if self.then == (self.said or OwnEdits()):
            return None
        return PutBack(self.then, alone=self.said is None)


class _Kept(msgspec.Struct):
    """What the store has of one spoke's part."""

    spoke: str
    shadow: Shadow | None = None
    departed: Departed | None = None
    log: list[Earlier] = []
    """Since the moment, the newest first."""
    words: list[Word] = []
    detached: bool = False
    """Its user removed a copy of ours."""


def moment_of(context: PassContext, tx: Transaction, at: float, name: str) -> Moment:
    """Up to where the hub had come at `at`. Raises DecisionError if that is not known; `name` is
    what is to be restored, for the message."""
    now, first = context.clock(), tx.moments.first()
    if at > now:
        raise DecisionError(f"{name}: {utc(at)} is still to come; name an earlier time")
    found, known = tx.moments.last_until(at), now - context.hub.deletion.kept
    if found is None or at < known:
        since = "nothing yet: run a pass first"
        if first is not None:
            since = f"what was since {utc(max(first.at, known))}; name a time after that"
        raise DecisionError(
            f"{name}: what it was at {utc(at)} is not known; the hub knows {since} (earlier "
            "values are kept for keepFor, and by a store that was there)"
        )
    return found


def changed_in(tx: Transaction, moment: Moment, spoke: str) -> list[str]:
    """Items of which the spoke's user changed or deleted something since."""
    found = set(tx.earlier.changed_in(spoke, moment.seq))
    found.update(
        row.item
        for row in tx.departed.of_spoke(spoke, "", 10**6)
        if not row.restored and row.gone_at > moment.at
    )
    found.update(tx.rewound.said_since(spoke, moment.seq))
    return sorted(found)


def parts_of(
    context: PassContext, tx: Transaction, moment: Moment, ids: Sequence[str], spoke: str = ""
) -> dict[str, list[Part]]:
    """By item: of all spokes that have, or had, a part in it; or of one spoke alone."""
    kept: dict[str, dict[str, _Kept]] = {item: {} for item in ids}

    def of(item: str, uid: str) -> _Kept:
        return kept[item].setdefault(uid, _Kept(uid))

    for item, shadows in tx.shadows.by_item(ids).items():
        for shadow in shadows:
            of(item, shadow.spoke).shadow = shadow
    for item, departed in tx.departed.by_item(ids).items():
        for row in departed:
            of(item, row.spoke).departed = row
    for item, log in tx.earlier.since(ids, moment.seq).items():
        for entry in log:
            of(item, entry.spoke).log.append(entry)
    for item, words in tx.rewound.said(ids).items():
        for word in words:
            of(item, word.spoke).words.append(word)
    if spoke:
        for item, replica in tx.replicas.by_item(spoke, ids).items():
            removed = replica.state is ReplicaState.DETACHED and not replica.native
            of(item, spoke).detached = removed
    return {
        item: [
            _part(context, moment, one)
            for uid, one in sorted(found.items())
            if uid == spoke or not spoke
        ]
        for item, found in kept.items()
    }


def _part(context: PassContext, moment: Moment, kept: _Kept) -> Part:
    spoke, shadow, departed = kept.spoke, kept.shadow, kept.departed
    if shadow is not None and not shadow.admitted:
        blank = OwnEdits()
        known = all(row.before is not None for row in kept.log)
        return Part(spoke, native=False, said=None, now=blank, then=blank, known=known)
    always = untouched(context.kind)
    nobody = context.hub.deletion.allowed_by is DeletedBy.NEVER
    counts = departed is not None and (departed.restored or nobody)
    undeleted = departed is not None and not counts and departed.gone_at > moment.at
    own = OwnEdits() if shadow is None else shadow.own
    said, there = (None if shadow is None else own), False
    past = until(own, moment.seq)
    if departed is not None and (counts or undeleted):
        said, past, there = over(departed.own, own), over(departed.own, past), True
    native = there or (shadow is not None and shadow.native)
    now = _counting(said, kept.words[-1:], always)
    stood = as_of(past, [row.before for row in kept.log], moment.seq)
    if stood is None:
        return Part(spoke, native, said, now, now, known=False, there=native)
    was = stood.own
    if stood.gone_at is not None and stood.gone_at <= moment.at:
        was = OwnEdits()
    there = there or (native and bool(was))
    then = [word for word in kept.words if word.seq <= moment.seq][-1:]
    was = _counting(was if was or said is not None else None, then, always)
    copies = [row for row in kept.log if row.before is not None and row.before.copy]
    return Part(
        spoke,
        native,
        said,
        now,
        put_back(said or OwnEdits(), PutBack(was), _EVER, always),
        there=there,
        undeleted=undeleted,
        copy=kept.detached and shadow is None and bool(copies),
    )


def _counting(said: OwnEdits | None, words: Sequence[Word], always: Collection[str]) -> OwnEdits:
    """What counts of what is said, by the last of these words."""
    for word in words:
        if word.put_back is not None and (said is not None or word.put_back.alone):
            return put_back(said or OwnEdits(), word.put_back, word.seq, always)
    return said or OwnEdits()


def utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
