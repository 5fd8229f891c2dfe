"""What items hold, sealed for their rows."""

from __future__ import annotations

from functools import partial

from cirahub_sync.model.codec import decode_item, encode_item
from cirahub_sync.model.kind import Content
from cirahub_sync.recent import Recent
from cirahub_sync.store.crypto import Cipher

_KEPT = 5_000
"""Contents, of some three kilobytes each."""


class SealedItems:
    """Of one hub. What was opened lately is remembered: every receiver of a pass reads the same
    items again. It is known by its item and its bytes, which are never twice the same."""

    def __init__(self, cipher: Cipher, hub: str) -> None:
        self._cipher = cipher
        self._hub = hub
        self._opened: Recent[Content] = Recent(_KEPT)

    def seal(self, item: str, content: Content) -> bytes:
        return self._cipher.seal(encode_item(content), self._identity(item))

    def open(self, item: str, sealed: bytes) -> Content:
        """Raises KeyUnavailableError, or StoreError when it is no item of a known form."""
        return self._opened.get((item, sealed), partial(self._open, item, sealed))

    def _open(self, item: str, sealed: bytes) -> Content:
        return decode_item(self._cipher.open(sealed, self._identity(item)))

    def _identity(self, item: str) -> str:
        return f"items/{self._hub}/{item}"
