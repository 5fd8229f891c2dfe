"""What a person decided about a conflict: an input of the fold beside the spokes' own edits."""

from __future__ import annotations

import msgspec


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person decided about a field, at `seq`: everything that others had said until then is
    superseded. It counts for as long as the spoke that was chosen has a value there; a value that
    the person gave instead, for as long as all contenders are there that it was chosen over."""

    field: str
    seq: int
    at: float
    """POSIX seconds."""
    spoke: str = ""
    """Whose value was chosen; blank: `value` was given."""
    key: str = ""
    """Of the element that was chosen in a list; blank: the spoke's whole list."""
    value: str = ""
    among: tuple[str, ...] = ()
    """The contenders' spokes."""
    set_aside: int = 0
    """The `seq` at which a person put the item back to before it; 0: it counts."""

    def concerns(self, spoke: str) -> bool:
        """Whether it can't outlive what the spoke contributed."""
        return self.spoke == spoke or (not self.spoke and spoke in self.among)


encode_decision = msgspec.msgpack.Encoder().encode
decode_decision = msgspec.msgpack.Decoder(Decision).decode
