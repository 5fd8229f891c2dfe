"""A photo before it travels: small, upright, alike, and nothing but a picture."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from cirahub_sync.model.photo import MAX_BYTES, SIDE, Unfit, normalised


def drawn(width: int = 300, height: int = 200, kind: str = "JPEG", **more: Any) -> bytes:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    made = BytesIO()
    image.save(made, kind, **more)
    return made.getvalue()


def png(width: int, height: int) -> bytes:
    """One that says it is so large, in a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b""))
    )


def opened(photo: bytes | Unfit) -> Image.Image:
    assert isinstance(photo, bytes)
    return Image.open(BytesIO(photo))


def nearest(photo: bytes | Unfit, place: tuple[int, int]) -> str:
    pixel = opened(photo).convert("RGB").getpixel(place)
    assert isinstance(pixel, tuple)
    return "red" if pixel[0] > pixel[2] else "blue"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_a_photo_is_made_small_and_a_jpeg(kind: str) -> None:
    found = opened(normalised(drawn(1200, 800, kind)))

    assert (found.format, found.mode, found.size) == ("JPEG", "RGB", (SIDE, SIDE * 2 // 3))


def test_what_has_travelled_is_known_by_its_bytes() -> None:
    once = normalised(drawn(900, 900))
    assert isinstance(once, bytes)
    assert normalised(once) == once
    assert normalised(drawn(900, 900)) == once, "equal photos are alike"


def test_a_photo_is_turned_the_right_way_up() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    found = normalised(drawn(exif=exif))

    assert (nearest(found, (5, 5)), nearest(found, (290, 190))) == ("blue", "red")


def test_what_is_transparent_is_white() -> None:
    made = BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(made, "PNG")

    assert opened(normalised(made.getvalue())).getpixel((3, 3)) == (255, 255, 255)


def hidden() -> dict[str, bytes]:
    exif = Image.Exif()
    exif[0x010F] = "CANARY"
    return {
        "in exif": drawn(exif=exif),
        "in a comment": drawn(comment=b"CANARY"),
        "in a colour profile": drawn(icc_profile=b"CANARY" * 30),
        "behind its end": drawn() + b"CANARY",
        "in a png": drawn(kind="PNG", exif=exif),
    }


@pytest.mark.parametrize("where", hidden())
def test_nothing_but_the_picture_travels(where: str) -> None:
    raw = hidden()[where]
    found = normalised(raw)

    assert isinstance(found, bytes)
    assert (b"CANARY" in raw or where == "in a png", b"CANARY" in found) == (True, False)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (drawn() + bytes(MAX_BYTES), Unfit.TOO_LARGE),
        (png(5_000, 4_001), Unfit.TOO_MANY_PIXELS),
        (png(12_000, 12_000), Unfit.TOO_MANY_PIXELS),
        (png(50_000, 50_000), Unfit.TOO_MANY_PIXELS),
        (png(100, 100), Unfit.UNREADABLE),
        (drawn()[:400], Unfit.UNREADABLE),
        (b"GIF89a", Unfit.UNREADABLE),
        (b"<svg/>", Unfit.UNREADABLE),
        (b"", Unfit.UNREADABLE),
    ],
)
def test_what_is_unfit_is_told_by_name(raw: bytes, why: Unfit) -> None:
    assert normalised(raw) is why
