"""Encryption of content columns, and the keyed hashes that stand in for content in indexes.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce under a key per hub; a row's identity is
the associated data, so a ciphertext moved to another row does not open. Match keys and
fingerprints are keyed BLAKE2b (RFC 7693) under keys derived by HKDF (RFC 5869), so that no
dictionary of addresses opens them. Hub keys are wrapped by the key-encryption key.
"""

from __future__ import annotations

import os
from base64 import b64decode
from binascii import Error as Base64Error
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cirahub_sync.errors import KeyUnavailableError

KEY_BYTES = 32
DIGEST_BYTES = 16
_NONCE_BYTES = 12
_FORMAT = b"\x01"


class Cipher:
    """Seals and opens with one key; every sealed value names its key's version (1 to 65535)."""

    def __init__(self, key: bytes, version: int) -> None:
        self.version = version
        self._aead = AESGCM(key)
        self._header = _FORMAT + version.to_bytes(2, "big")
        self._match = _keyed(key, b"match")
        self._fingerprint = _keyed(key, b"fingerprint")

    def seal(self, plaintext: bytes, identity: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return self._header + nonce + self._aead.encrypt(nonce, plaintext, identity.encode())

    def open(self, sealed: bytes, identity: str) -> bytes:
        """Raises KeyUnavailableError if the value was sealed with another key or for another
        row."""
        if sealed[:3] != self._header:
            raise KeyUnavailableError(
                f"{identity}: sealed with key version {int.from_bytes(sealed[1:3], 'big')}, but "
                f"version {self.version} is loaded; restore the key that the store was written with"
            )
        try:
            return self._aead.decrypt(sealed[3:15], sealed[15:], identity.encode())
        except InvalidTag as error:
            raise KeyUnavailableError(
                f"{identity}: the value does not open with the hub's key; the store is damaged or "
                "was written under another key: restore both from the same backup"
            ) from error

    def match_digest(self, key: str) -> bytes:
        digest = self._match.copy()
        digest.update(key.encode())
        return digest.digest()

    def fingerprint(self, content: bytes) -> bytes:
        digest = self._fingerprint.copy()
        digest.update(content)
        return digest.digest()


def _keyed(key: bytes, label: bytes) -> blake2b:
    """To be copied: it has taken the key in, which is as long as most of what is digested."""
    return blake2b(digest_size=DIGEST_BYTES, key=_derive(key, label))


def _derive(key: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"cirahub " + label).derive(
        key
    )


def load_key(path: Path | None) -> bytes:
    """The key-encryption key of a file (base64 of 32 bytes). Raises KeyUnavailableError."""
    if path is None:
        raise KeyUnavailableError(
            "no key-encryption key was given; start with --key-file (32 random bytes, base64)"
        )
    try:
        key = b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise KeyUnavailableError(
            f"key file {path}: cannot be read ({error.strerror}); restore it, since without this "
            "key the store stays closed"
        ) from error
    except Base64Error as error:
        raise KeyUnavailableError(
            f"key file {path}: not base64; it must hold 32 random bytes in base64"
        ) from error
    if len(key) != KEY_BYTES:
        raise KeyUnavailableError(
            f"key file {path}: holds {len(key)} bytes, needs {KEY_BYTES} (base64)"
        )
    return key
