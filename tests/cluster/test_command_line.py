"""`python hack/cluster`, as a person at a terminal meets it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import cluster

from .conftest import WITHIN

ROOM = Path(cluster.__file__).parent.parent
BY_FOLDER = [sys.executable, str(ROOM / "cluster")]
BY_NAME = [sys.executable, "-m", "cluster"]


def run(command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOM) if command is BY_NAME else ""}
    return subprocess.run(
        [*command, *arguments], env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", [BY_FOLDER, BY_NAME], ids=["folder", "name"])
def test_every_command_explains_itself(command: list[str]) -> None:
    for arguments in (["--help"], ["build", "--help"], ["path", "--help"], ["up", "--help"]):
        told = run(command, *arguments)

        assert told.returncode == 0
        assert "usage: cluster" in told.stdout


def test_a_wrong_command_line_exits_with_2() -> None:
    assert run(BY_FOLDER, "sideways").returncode == 2


@pytest.mark.usefixtures("empty_cache")
def test_the_path_of_what_is_not_built_is_an_error_that_says_how_to_build_it() -> None:
    told = run(BY_FOLDER, "path")

    assert told.returncode == 1
    assert told.stdout == ""
    assert "python hack/cluster build" in told.stderr


@pytest.mark.usefixtures("own_control_plane")
def test_up_overwrites_no_kubeconfig(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("access to production")

    told = run(BY_FOLDER, "up", "--kubeconfig", str(kubeconfig))

    assert told.returncode == 1
    assert "File exists" in told.stderr
    assert kubeconfig.read_text() == "access to production"


@pytest.mark.usefixtures("own_control_plane")
def test_up_runs_until_it_is_interrupted_and_leaves_nothing(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    with subprocess.Popen(
        [*BY_FOLDER, "up", "--kubeconfig", str(kubeconfig)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            told = []
            for line in process.stdout:
                told.append(line)
                if "Ctrl-C ends it" in line:
                    break
            kubectl = run(BY_FOLDER, "path").stdout.strip() + "/kubectl"
            namespaces = subprocess.run(
                [kubectl, "--kubeconfig", kubeconfig, "get", "namespaces"],
                capture_output=True,
                text=True,
                check=True,
            )
            process.send_signal(signal.SIGINT)
            process.wait(timeout=WITHIN)
        finally:
            process.kill()

    assert process.returncode == 0
    assert not kubeconfig.exists()
    assert "kube-system" in namespaces.stdout
    assert f"  export KUBECONFIG={kubeconfig}\n" in told
    directory = Path(told[-1].removeprefix("Logs are in ").split(". Ctrl-C")[0])
    assert directory.name.startswith("cirahub-cluster-")
    assert not directory.exists()
