"""promtool and Prometheus: named, found or fetched once; where they can't be had, that is told."""

import os
from pathlib import Path

import pytest

from cluster import BinariesMissingError, Promtool, PromtoolFailedError
from cluster.progress import Progress
from cluster.promtool import Program, find, obstacle

from .test_binaries import executable

# As the real ones are called: `download` puts the package into the current folder.
APT = """#!/bin/sh
echo "apt-get $*" >> "{calls}"
case "$*" in
*update) touch "{lists}" ;;
*download*) [ -e "{lists}" ] && touch prometheus_2.42.0_amd64.deb ;;
esac
"""
DPKG = """#!/bin/sh
mkdir -p "$3/usr/bin"
printf '#!/bin/sh\\necho "promtool $*"\\n' > "$3/usr/bin/promtool"
cp "$3/usr/bin/promtool" "$3/usr/bin/prometheus"
chmod +x "$3/usr/bin/promtool" "$3/usr/bin/prometheus"
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that come before those of the system."""
    for program in Program:
        monkeypatch.delenv(program.named, raising=False)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path / "bin"), "/bin")))
    return tmp_path / "bin"


@pytest.fixture
def debian(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh one, without lists of packages, where we are root. The file has the calls of apt."""
    calls = tmp_path / "calls"
    executable(path / "apt-get", APT.format(calls=calls, lists=tmp_path / "lists"))
    executable(path / "dpkg-deb", DPKG)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return calls


def test_the_one_that_is_named_is_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(path / "promtool", "#!/bin/sh\n")
    named = executable(path.parent / "other" / "promtool", "#!/bin/sh\n")
    monkeypatch.setenv("PROMTOOL", str(named))

    assert find() == named


def test_one_that_is_named_and_not_there_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(path / "promtool", "#!/bin/sh\n")
    monkeypatch.setenv("PROMTOOL", "/nowhere/promtool")

    with pytest.raises(BinariesMissingError, match="PROMTOOL names /nowhere/promtool"):
        find()


@pytest.mark.usefixtures("empty_cache")
def test_that_of_the_machine_is_used(path: Path) -> None:
    found = executable(path / "promtool", "#!/bin/sh\n")

    assert obstacle() is None
    assert find() == found


@pytest.mark.usefixtures("empty_cache")
def test_debians_is_unpacked_once_and_not_installed(
    debian: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert obstacle() is None
    fetched = find(progress=Progress())

    assert Promtool(fetched).run("check", "rules") == "promtool check rules\n"
    assert find() == fetched
    assert find(Program.SERVER) == fetched.with_name("prometheus")
    assert debian.read_text().splitlines() == [
        "apt-get --quiet download prometheus",
        "apt-get --quiet update",
        "apt-get --quiet download prometheus",
    ]
    assert [one.name for one in fetched.parent.iterdir() if one.is_dir()] == []
    assert "fetching Prometheus, once" in capsys.readouterr().err


@pytest.mark.usefixtures("empty_cache", "debian")
def test_a_package_that_does_not_come_is_an_error(path: Path) -> None:
    executable(path / "apt-get", "#!/bin/sh\necho no route to host >&2\nexit 100\n")

    with pytest.raises(BinariesMissingError, match=r"ended with 100:\nno route to host\nInstall"):
        find()


@pytest.mark.usefixtures("empty_cache", "debian")
def test_who_is_not_root_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    told = obstacle() or ""

    assert "only root" in told
    assert "name its promtool in PROMTOOL" in told


def test_what_it_complains_of_is_told(path: Path) -> None:
    complaining = executable(path / "promtool", "#!/bin/sh\necho unknown metric\nexit 1\n")

    with pytest.raises(PromtoolFailedError, match="promtool test ended with 1: unknown metric"):
        Promtool(complaining).run("test")
