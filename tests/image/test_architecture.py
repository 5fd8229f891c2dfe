"""What an image is for, and whether this machine can make one for another architecture."""

from __future__ import annotations

from pathlib import Path

import pytest

from image.architecture import MACHINES, Architecture
from image.base import Base
from image.errors import UnpreparedError

THERE = "enabled\ninterpreter /usr/libexec/qemu-binfmt/one\nflags: {}\noffset 0\nmagic 7f454c46\n"


@pytest.fixture
def other() -> Architecture:
    """That this machine is not."""
    mine = Architecture.of_this_machine()
    return next(one for one in map(Architecture.named, MACHINES) if one != mine)


def test_an_image_is_for_this_machine_unless_another_one_is_named() -> None:
    assert not Architecture.named("").foreign


def test_an_architecture_has_one_name_with_oci_and_another_one_with_the_kernel() -> None:
    assert [(Architecture.named(name).name, MACHINES[name]) for name in MACHINES] == [
        ("amd64", "x86_64"),
        ("arm64", "aarch64"),
    ]


def test_an_architecture_that_nobody_has_tried_is_refused_by_name() -> None:
    with pytest.raises(UnpreparedError, match="this machine is riscv64"):
        _ = Architecture("riscv64").name


def test_what_this_machine_runs_itself_needs_no_emulation(tmp_path: Path) -> None:
    Architecture.of_this_machine().ready(tmp_path)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(None, id="QEMU is not registered"),
        pytest.param(THERE.format("P"), id="it would be looked for in the build's root"),
        pytest.param(THERE.format("F").replace("enabled", "disabled"), id="it is switched off"),
    ],
)
def test_what_cant_be_emulated_here_is_refused_and_the_message_says_what_helps(
    other: Architecture, tmp_path: Path, found: str | None
) -> None:
    if found is not None:
        (tmp_path / f"qemu-{other.machine}").write_text(found)
    with pytest.raises(UnpreparedError, match=rf"no programs of {other.name}.*qemu-user-static"):
        other.ready(tmp_path)


def test_an_emulation_that_is_open_already_will_do(other: Architecture, tmp_path: Path) -> None:
    (tmp_path / f"qemu-{other.machine}").write_text(THERE.format("POCF"))
    other.ready(tmp_path)


def test_two_architectures_have_no_base_in_common(other: Architecture, tmp_path: Path) -> None:
    mine = Architecture.of_this_machine()
    assert Base.of(mine, tmp_path).key != Base.of(other, tmp_path).key
