"""The image of the code as it is, built before the first test that wants it, and unpacked once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cluster.progress import Progress
from image import Image, ImageError, Sandbox

WANTED = {"built", "unpacked", "sandbox"}


def pytest_collection_finish(session: pytest.Session) -> None:
    """No test's time limit runs yet, and the progress of a first build is seen."""
    wanted = any(
        WANTED & set(item.fixturenames)
        for item in session.items
        if isinstance(item, pytest.Function)
    )
    if not wanted or session.config.option.collectonly or Image.obstacle() is not None:
        return
    try:
        Image.find(Progress(speaker="image"))
    except ImageError as error:
        pytest.exit(f"No image for the tests. {error}", returncode=1)


@pytest.fixture(scope="session")
def built() -> Image:
    obstacle = Image.obstacle()
    if obstacle is not None:
        pytest.skip(f"an image {obstacle}")
    return Image.find(Progress(speaker="image"))


@pytest.fixture(scope="session")
def unpacked(built: Image) -> Iterator[Path]:
    """Its files, with their owners."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for the owners of files and for namespaces")
    with TemporaryDirectory(prefix="cirahub-image-") as folder:
        built.archive.unpack(Path(folder))
        yield Path(folder)


@pytest.fixture(scope="session")
def sandbox(built: Image, unpacked: Path) -> Sandbox:
    return Sandbox(unpacked, built.archive)
