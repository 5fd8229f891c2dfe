"""What the image is made of, and when it has to be made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from image import ImageError
from image.context import Context

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / ".dockerignore").write_text("# Few.\n*\n!LICENSE\n!code\n**/__pycache__\n")
    (tmp_path / "LICENSE").write_text("free\n")
    (tmp_path / "secret").write_text("not for an image\n")
    (tmp_path / "code" / "__pycache__").mkdir(parents=True)
    (tmp_path / "code" / "one.py").write_text("1\n")
    (tmp_path / "code" / "__pycache__" / "one.pyc").write_text("compiled\n")
    return Context(tmp_path)


def names(context: Context) -> list[str]:
    return [str(path.relative_to(context.root)) for path in context.files()]


def test_only_what_is_let_through_is_part_of_it(context: Context) -> None:
    assert names(context) == ["LICENSE", "code/one.py"]


@pytest.mark.parametrize("changed", ["Dockerfile", "LICENSE", "code/one.py", "code/two.py"])
def test_a_change_of_what_it_is_made_of_makes_it_anew(context: Context, changed: str) -> None:
    before = context.digest()

    (context.root / changed).write_text("another\n")

    assert context.digest() != before


@pytest.mark.parametrize("changed", ["secret", "code/__pycache__/one.pyc", "new"])
def test_a_change_of_anything_else_does_not(context: Context, changed: str) -> None:
    before = context.digest()

    (context.root / changed).write_text("another\n")

    assert context.digest() == before


def test_a_file_that_becomes_a_program_makes_it_anew(context: Context) -> None:
    before = context.digest()

    (context.root / "code" / "one.py").chmod(0o755)

    assert context.digest() != before


def test_a_line_that_only_docker_understands_is_refused(context: Context) -> None:
    (context.root / ".dockerignore").write_text("*\n!code/one.py\n")

    with pytest.raises(ImageError, match=r"!code/one\.py"):
        names(context)


def test_no_test_and_no_tool_of_ours_is_part_of_the_image() -> None:
    tops = {path.split("/")[0] for path in names(Context(ROOT))}

    assert tops == {
        *("LICENSE", "README.md", "pyproject.toml"),
        *(f"requirements-{part}.lock" for part in ("build", "runtime", "sqlserver")),
        *("operator", "simulator", "sync"),
    }
