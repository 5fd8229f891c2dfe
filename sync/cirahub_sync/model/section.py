"""A section of a text: ours between two lines, what its user wrote above and below them theirs.

    Met in Oslo.
    --- Directory ---
    Prefers e-mail.
    --- End of directory ---

The two lines are found whatever blanks stand around them. Where they are not there, or only one of
them is, the whole text is the user's. A line of ours that reads like one of the two is quoted.
"""

from __future__ import annotations

import re

import msgspec

_LINE_END = re.compile(r"\r\n|\r|\n")
_QUOTE = "> "


class Section(msgspec.Struct, frozen=True, array_like=True):
    start: str
    end: str

    def get(self, text: str) -> str | None:
        """What stands between the lines; None if they are not there."""
        lines = _LINE_END.split(text)
        place = self._place(lines)
        if place is None:
            return None
        return "\n".join(self._unquoted(line) for line in lines[place[0] + 1 : place[1]])

    def put(self, ours: str, text: str) -> str:
        """The text with `ours` between the lines, or without them if `ours` is blank."""
        lines = _LINE_END.split(text)
        place = self._place(lines)
        block: list[str] = []
        if ours.strip():
            block = [self.start, *(self._quoted(line) for line in _LINE_END.split(ours)), self.end]
        if place is not None:
            first, last = place
            if block and _same(block[1:-1], lines[first + 1 : last]):
                return text
            lines[first : last + 1] = block
        elif not block:
            return text
        elif text.strip() in ("", ours.strip()):
            lines = block  # ours stood there without the lines
        else:
            lines = [*lines, *block]
        return "\n".join(lines)

    def _place(self, lines: list[str]) -> tuple[int, int] | None:
        start: int | None = None
        for index, line in enumerate(lines):
            if line.strip() == self.start:
                start = index
            elif start is not None and line.strip() == self.end:
                return start, index
        return None

    def _mark(self, line: str) -> bool:
        """Whether it reads like one of the two lines, quoted or not."""
        bare = line.strip()
        while bare.startswith(_QUOTE):
            bare = bare[len(_QUOTE) :].strip()
        return bare in (self.start, self.end)

    def _quoted(self, line: str) -> str:
        return _QUOTE + line if self._mark(line) else line

    def _unquoted(self, line: str) -> str:
        return line[len(_QUOTE) :] if self._mark(line) and line.startswith(_QUOTE) else line


def _same(ours: list[str], there: list[str]) -> bool:
    """A service may trim a line's end."""
    return [line.rstrip() for line in ours] == [line.rstrip() for line in there]
