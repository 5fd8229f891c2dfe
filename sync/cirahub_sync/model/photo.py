"""What a photo of a contact becomes before it goes anywhere: small, and nothing but a picture.

The header is looked at before anything is decoded, so that a small file that claims to be a huge
picture costs nothing (a decompression bomb). What comes out is a JPEG without metadata: no place
where it was taken, no camera, no thumbnail of what was cut away.
"""

from __future__ import annotations

from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 648
"""Pixels of the longer side, at most: the largest that Microsoft 365 keeps of a user's photo
(https://learn.microsoft.com/graph/api/profilephoto-get)."""
MAX_BYTES = 4 * 1024 * 1024
"""https://learn.microsoft.com/graph/api/profilephoto-update: photos are smaller."""
MAX_PIXELS = 20_000_000
_QUALITY = 85
_FORMATS = ("JPEG", "PNG", "GIF")
_END = b"\xff\xd9"
"""JPEG's end of image: ITU-T T.81, table B.1. Coded data has no such bytes (B.1.1.5)."""


class Unfit(StrEnum):
    """Why a photo is left alone."""

    TOO_LARGE = "TooLarge"
    TOO_MANY_PIXELS = "TooManyPixels"
    UNREADABLE = "Unreadable"
    """No JPEG, PNG or GIF, or a damaged one."""


def normalised(raw: bytes) -> bytes | Unfit:
    """The photo as it travels; what came of this function before comes out as it went in, so that
    a photo that has travelled is known by its bytes. Takes up to a second of processor time."""
    if len(raw) > MAX_BYTES:
        return Unfit.TOO_LARGE
    from PIL import Image  # not at the top: few hubs have photos

    try:
        with Image.open(BytesIO(raw), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return Unfit.TOO_MANY_PIXELS
            if _travels(image, raw):
                image.load()  # raises for one that is cut off
                return raw
            return _drawn(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Unfit.TOO_MANY_PIXELS
    except Exception:  # what a decoder meets in bytes that somebody made, it raises as it comes
        return Unfit.UNREADABLE


def _travels(image: Image, raw: bytes) -> bool:
    """Whether it is small enough, and has no segment but that which makes it a JPEG file, nor
    anything behind its end."""
    segments = getattr(image, "applist", None)
    return (
        image.format == "JPEG"
        and image.mode == "RGB"
        and max(image.size) <= SIDE
        and segments is not None
        and [name for name, _ in segments] == ["APP0"]
        and "comment" not in image.info
        and raw.find(_END) == len(raw) - len(_END)
    )


def _drawn(image: Image) -> bytes:
    from PIL import Image as Images
    from PIL import ImageOps

    image.thumbnail((SIDE, SIDE))  # a JPEG is decoded at about that size, not whole
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    # Onto paper: JPEG knows no transparency, and a new image has none of the old one's metadata.
    paper = Images.new("RGB", upright.size, "white")
    paper.paste(upright, mask=upright.getchannel("A"))
    made = BytesIO()
    paper.save(made, "JPEG", quality=_QUALITY)
    return made.getvalue()
