"""A spoke's own edits at an earlier moment: how they follow from those of now and what is kept, and
how those that a person puts back count.

What is kept is a log: each entry has the edits that something later took the place of. Edits carry
the sequence number at which they were merged, so that taking the later entries back, newest first,
and leaving out the edits that are younger still gives what stood at a number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec

from cirahub_sync.errors import StoreError
from cirahub_sync.model.edit import ElementEdit, OwnEdits, ScalarEdit

_VERSION = b"\x01"
_encode = msgspec.msgpack.Encoder().encode
_Keeps = Callable[[str, ScalarEdit | ElementEdit], bool]


class Before(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stood until then: of the edits those that changed."""

    own: OwnEdits
    gone_at: float | None = None
    """It is all that had been contributed until the spoke's user deleted it then (POSIX seconds);
    what came after it is another item of theirs."""
    copy: bool = False
    """The spoke had a copy of ours until then, and its user deleted it."""


class Then(msgspec.Struct, frozen=True):
    """What a spoke said at an earlier moment."""

    own: OwnEdits
    gone_at: float | None = None
    """Its user had deleted it; POSIX seconds."""


class PutBack(msgspec.Struct, frozen=True, omit_defaults=True):
    """Edits that count in the place of those that were made until a person put them back."""

    own: OwnEdits
    alone: bool = False
    """The spoke had nothing of the item any more: they count by themselves, as a copy's."""


_before = msgspec.msgpack.Decoder(Before).decode
_put_back = msgspec.msgpack.Decoder(PutBack).decode


def encode(value: Before | PutBack) -> bytes:
    return _VERSION + _encode(value)


def decode_before(data: bytes) -> Before:
    """Raises StoreError when the bytes are none of a known form."""
    try:
        return _before(_body(data))
    except msgspec.MsgspecError:
        raise StoreError("kept edits are damaged") from None


def decode_put_back(data: bytes) -> PutBack:
    """Raises StoreError when the bytes are none of a known form."""
    try:
        return _put_back(_body(data))
    except msgspec.MsgspecError:
        raise StoreError("edits that were put back are damaged") from None


def superseded(before: OwnEdits, after: OwnEdits) -> OwnEdits:
    """The edits of `before` that do not stand in `after`. One that stands is the same object."""
    scalars = {f: edit for f, edit in before.scalars.items() if after.scalars.get(f) is not edit}
    elements: dict[str, dict[str, ElementEdit]] = {}
    for field, edits in before.elements.items():
        now = after.elements.get(field)
        if now is edits:
            continue
        if changed := {k: e for k, e in edits.items() if now is None or now.get(k) is not e}:
            elements[field] = changed
    return OwnEdits(scalars, elements)


def over(own: OwnEdits, top: OwnEdits) -> OwnEdits:
    """`own`, and what `top` says in the place of what it says of the same."""
    if not top:
        return own
    elements = dict(own.elements)
    for field, edits in top.elements.items():
        elements[field] = {**elements.get(field, {}), **edits}
    return OwnEdits({**own.scalars, **top.scalars}, elements)


def until(own: OwnEdits, seq: int) -> OwnEdits:
    """The edits that were merged up to `seq`."""
    return _where(own, lambda _, edit: edit.when.seq <= seq)


def as_of(own: OwnEdits, log: Iterable[Before | None], seq: int) -> Then | None:
    """What stood at `seq`, from what stands and the `log` of what changed since, newest first.
    None: the log says that it is not known."""
    gone_at: float | None = None
    for before in log:
        if before is None:
            return None
        if before.gone_at is not None:
            own, gone_at = before.own, before.gone_at
        else:
            own = over(own, before.own)
    return Then(until(own, seq), gone_at)


def put_back(
    own: OwnEdits, word: PutBack, seq: int, always: Collection[str] = frozenset()
) -> OwnEdits:
    """What counts once `word` was said at `seq`: that, and over it what was said later; of the
    fields in `always` only what is said."""
    return over(
        _where(word.own, lambda field, _: field not in always),
        _where(own, lambda field, edit: edit.when.seq > seq or field in always),
    )


def stripped(own: OwnEdits, fields: Collection[str]) -> OwnEdits:
    """Without edits of these fields."""
    return _where(own, lambda field, _: field not in fields)


def _where(own: OwnEdits, keeps: _Keeps) -> OwnEdits:
    elements: dict[str, dict[str, ElementEdit]] = {}
    for field, edits in own.elements.items():
        if kept := {key: edit for key, edit in edits.items() if keeps(field, edit)}:
            elements[field] = kept
    return OwnEdits({f: e for f, e in own.scalars.items() if keeps(f, e)}, elements)


def _body(data: bytes) -> memoryview:
    if data[:1] != _VERSION:
        raise StoreError(
            "kept edits are of a form this version does not know; run the version that wrote them"
        )
    return memoryview(data)[1:]
