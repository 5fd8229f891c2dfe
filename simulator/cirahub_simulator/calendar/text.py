"""Bodies as HTML and as text: Exchange keeps one and renders the other when it is asked for."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

from cirahub_simulator.calendar.fields import Body

PREVIEW = 255
"""Characters of a preview: https://learn.microsoft.com/graph/api/resources/message, bodyPreview."""

_HEAD = (
    '<html>\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
)
_WHOLE = re.compile(r"\s*(?:<!doctype[^>]*>\s*)?<html", re.IGNORECASE)
_BREAKS = frozenset(("br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol"))
_SILENT = frozenset(("head", "style", "script", "title"))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent -= 1
        elif tag in _BREAKS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._silent <= 0:
            self.parts.append(re.sub(r"\s+", " ", data))


def as_text(body: Body) -> str:
    """A body's text, lines ended as Exchange ends them."""
    if body.content_type == "text":
        return body.content
    reader = _Reader()
    reader.feed(body.content)
    reader.close()
    lines = [line.strip() for line in "".join(reader.parts).split("\n")]
    return "\r\n".join(lines).strip()


def as_html(body: Body, *, wrapped: bool) -> str:
    """A body's HTML; `wrapped`: as a whole document, as Exchange makes of a fragment."""
    if body.content_type == "html":
        content = body.content
    else:
        plain = html.escape(body.content, quote=False)
        content = re.sub(r"\r\n|\n|\r", "<br>\r\n", plain)
        if content:
            content = f'<div class="PlainText">{content}</div>'
    if not wrapped or not content or _WHOLE.match(content):
        return content
    return f"{_HEAD}</head>\r\n<body>\r\n{content}\r\n</body>\r\n</html>\r\n"


def preview(body: Body) -> str:
    """The beginning of a body's text."""
    return as_text(body).strip()[:PREVIEW]
