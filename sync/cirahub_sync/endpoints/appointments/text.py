"""The text of a body. We ask for text, and a service may still answer in HTML: then this is what is
read of it."""

from __future__ import annotations

from html.parser import HTMLParser

_BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table"})
_SILENT = frozenset({"head", "style", "script", "title"})


def text_of(content: str, *, html: bool) -> str:
    """Lines ended by LF, without blank space at the end, which services add."""
    if html and content:
        reader = _Reader()
        reader.feed(content)
        reader.close()
        content = reader.text()
    return content.replace("\r\n", "\n").replace("\r", "\n").rstrip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[list[str]] = [[]]
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCKS and (tag == "br" or self._lines[-1]):
            self._lines.append([])

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS and self._lines[-1]:
            self._lines.append([])

    def handle_data(self, data: str) -> None:
        if not self._silent and (data.strip() or self._lines[-1]):
            self._lines[-1].append(data)

    def text(self) -> str:
        return "\n".join(" ".join("".join(line).split()) for line in self._lines).strip("\n")
