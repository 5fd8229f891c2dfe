"""Two spokes that keep taking a field back from each other, and what the field stays at then."""

from __future__ import annotations

import msgspec

from cirahub_sync.model.edit import ElementEdit, ScalarEdit


class Flip(msgspec.Struct, frozen=True, gc=False):
    """A spoke gave a field (in a list: an element) back what it had said of it before, over what
    it had received from others since."""

    spoke: str
    seq: int
    """Of the edit."""
    said: int
    """Of the edit by which the spoke had said the same before; 0: a person had decided that."""
    at: float
    """POSIX seconds, by the clock of the pass that saw it."""


class Held(msgspec.Struct, frozen=True, array_like=True):
    """What two writers had said of a field when it was frozen: of a scalar the holder's edit, of
    a list by key the holder's, and the other's where the holder had said nothing."""

    scalar: ScalarEdit | None = None
    elements: dict[str, ElementEdit] = {}
    others: dict[str, ElementEdit] = {}


class Freeze(msgspec.Struct, frozen=True):
    """A field of an item that two spokes keep changing back and forth: of these two, what the
    holder said then counts, and nothing that either says later."""

    item: str
    field: str
    seq: int
    """Of the freezing: the writers have seen nothing of the field since."""
    at: float
    """POSIX seconds."""
    holder: str
    """Of the two, who had said theirs first, or for whom a person had decided."""
    other: str
    held: Held

    @property
    def writers(self) -> tuple[str, str]:
        return self.holder, self.other


encode_held = msgspec.msgpack.Encoder().encode
decode_held = msgspec.msgpack.Decoder(Held).decode
