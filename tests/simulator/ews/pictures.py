"""The smallest JPEG of a size: its frame header and nothing to see."""

from __future__ import annotations


def jpeg(width: int, height: int) -> bytes:
    """ITU-T T.81, B.2.2: start of image, a baseline frame of one component, end of image."""
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8\xff\xc0\x00\x0b\x08" + size + b"\x01\x01\x11\x00\xff\xd9"
