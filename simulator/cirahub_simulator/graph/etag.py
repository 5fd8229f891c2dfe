"""`If-Match` on what Outlook keeps."""

from __future__ import annotations

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call


def check_if_match(call: Call, etag: str) -> None:
    """RFC 9110 13.1.1; Outlook's etags are weak and compared as they are. Raises GraphError."""
    expected = call.request.headers.get("if-match")
    if expected is None or expected.strip() == "*":
        return
    if etag not in (tag.strip() for tag in expected.split(",")):
        raise errors.change_key_mismatch()
