"""Reading an image's archive: layers over each other, and what a layer takes away."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from image import Archive, ImageError


def layer(*files: str) -> bytes:
    """Of files with their own names as content, and of folders, which end with a slash."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in files:
            entry = tarfile.TarInfo(name.removesuffix("/"))
            if name.endswith("/"):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            else:
                entry.size = len(name)
                archive.addfile(entry, io.BytesIO(name.encode()))
    return packed.getvalue()


def archive_of(path: Path, layers: Sequence[bytes]) -> Archive:
    names = [f"{number}.tar" for number, _ in enumerate(layers)]
    config = {"config": {"User": "1:1", "Env": ["PATH=/bin", "OPTIONS=a=b"]}}
    manifest = [{"Config": "config.json", "RepoTags": ["a:b"], "Layers": names}]
    contents = dict(zip(names, layers, strict=True))
    contents["config.json"] = json.dumps(config).encode()
    contents["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(path, "w") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return Archive(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_layers_lie_over_each_other(tmp_path: Path, root: Path) -> None:
    layers = [layer("etc/", "etc/one", "etc/two"), layer("etc/", "etc/three")]

    archive_of(tmp_path / "image.tar", layers).unpack(root)

    assert files(root) == {"etc/one", "etc/two", "etc/three"}


def test_what_a_layer_takes_away_is_gone(tmp_path: Path, root: Path) -> None:
    below = layer("etc/", "etc/one", "etc/two", "lib/", "lib/deep/", "lib/deep/three")

    archive_of(tmp_path / "image.tar", [below, layer("etc/.wh.one", ".wh.lib")]).unpack(root)

    assert files(root) == {"etc/two"}


def test_a_folder_that_a_layer_makes_anew_has_nothing_of_before(tmp_path: Path, root: Path) -> None:
    layers = [layer("etc/", "etc/one"), layer("etc/", "etc/.wh..wh..opq", "etc/two")]

    archive_of(tmp_path / "image.tar", layers).unpack(root)

    assert files(root) == {"etc/two"}


@pytest.mark.parametrize("name", ["../outside", "/outside", "etc/../../outside"])
def test_a_layer_that_leads_out_of_the_image_is_refused(
    tmp_path: Path, root: Path, name: str
) -> None:
    with pytest.raises(ImageError, match="leads out of it"):
        archive_of(tmp_path / "image.tar", [layer(name)]).unpack(root)

    assert not (tmp_path / "outside").exists()


def test_only_what_is_wanted_is_unpacked(tmp_path: Path, root: Path) -> None:
    archive = archive_of(tmp_path / "image.tar", [layer("etc/", "etc/one", "etc/two")])

    archive.unpack(root, only=lambda path: path.endswith("two"))

    assert files(root) == {"etc/two"}


def test_variables_are_read_to_their_end(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "image.tar", [layer()])

    assert archive.environment == {"PATH": "/bin", "OPTIONS": "a=b"}
