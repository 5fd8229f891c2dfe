"""Bodies: text and HTML of one item, each made of the other where only one was written.

BodyTypeResponseType ([MS-OXWSCDATA] 2.2.5.3): Best is the richest there is, Text and HTML are
converted. Graph shows a contact's body as text, `personalNotes`.
"""

from __future__ import annotations

import html
import re
from base64 import b64decode, b64encode

from lxml import etree
from lxml import html as lxml_html

from cirahub_simulator.ews.draft import Draft
from cirahub_simulator.ews.mapi import HTML
from cirahub_simulator.ews.markup import Element, element, text_of
from cirahub_simulator.graph.contact import Contact

_BREAKS = re.compile(r"(?i)<br\s*/?>|</(?:p|div|tr|li|h[1-6])\s*>")


def text_of_html(source: str) -> str:
    """What a reader sees of HTML, with its line breaks."""
    if not source.strip():
        return ""
    try:
        document = lxml_html.document_fromstring(_BREAKS.sub(lambda m: m[0] + "\n", source))
    except (etree.ParserError, ValueError):
        return source
    for hidden in document.xpath("//style|//script|//head"):
        hidden.drop_tree()
    lines = (" ".join(line.split()) for line in document.text_content().splitlines())
    return "\n".join(lines).strip()


def html_of_text(source: str) -> str:
    """A document of plain text."""
    escaped = html.escape(source, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return f"<html>\r\n<body>\r\n{escaped}\r\n</body>\r\n</html>\r\n"


def read_body(contact: Contact, wanted: str) -> Element | None:
    """The body in the form asked for: `Best`, `HTML` or `Text`."""
    text = contact.fields.personal_notes or ""
    stored = contact.extended.get(HTML)
    rich = None if stored is None else b64decode(stored).decode("utf-8", "replace")
    if rich is not None and text_of_html(rich) != text:
        rich = None  # written over by somebody who writes text only
    if not text and rich is None:
        return None
    if wanted == "Text" or (wanted == "Best" and rich is None):
        return element("t:Body", text, BodyType="Text")
    return element("t:Body", rich if rich is not None else html_of_text(text), BodyType="HTML")


def write_body(draft: Draft, node: Element | None) -> None:
    """Set the body."""
    if node is None:
        draft.put("personal_notes", "")
        draft.put_extended(HTML, None)
        return
    content = text_of(node)
    if node.get("BodyType") == "HTML":
        draft.put("personal_notes", text_of_html(content))
        draft.put_extended(HTML, b64encode(content.encode()).decode())
    else:
        draft.put("personal_notes", content)
        draft.put_extended(HTML, None)


def append_body(draft: Draft, node: Element) -> None:
    """Add to the end of the body, as text."""
    content = text_of(node)
    more = text_of_html(content) if node.get("BodyType") == "HTML" else content
    draft.put("personal_notes", (draft.fields.personal_notes or "") + more)
    draft.put_extended(HTML, None)
