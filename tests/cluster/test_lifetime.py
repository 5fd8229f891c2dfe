"""A control plane lives exactly as long as whoever started it wants it to."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

import cluster
from cluster import Binaries, ComponentFailedError, ControlPlane, KubectlFailedError

from .conftest import WITHIN, Eventually

ROOM = Path(cluster.__file__).parent.parent
STARTER = """
import json, signal, time
from cluster import ControlPlane
signal.signal(signal.SIGINT, signal.default_int_handler)  # A job of the background ignores it.
with ControlPlane.start() as plane:
    print(json.dumps([str(plane.directory), *plane.pids.values()]), flush=True)
    while True:
        time.sleep(0.1)  # A single long wait may miss a signal that comes just before it.
"""


def is_running(pid: int) -> bool:
    """Not so for a zombie, which on a machine whose init does not reap is all that is left."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.usefixtures("own_control_plane")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_starter_that_is_killed(
    how: signal.Signals, eventually: Eventually
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        env={**os.environ, "PYTHONPATH": str(ROOM)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as starter:
        try:
            assert starter.stdout is not None
            directory, *pids = json.loads(starter.stdout.readline())
            assert len(pids) >= 2
            assert all(map(is_running, pids))

            starter.send_signal(how)

            starter.wait(timeout=WITHIN)
            eventually(lambda: not any(map(is_running, pids)))
            eventually(lambda: not Path(directory).exists())
        finally:
            starter.kill()


def test_data_and_keys_survive_an_outage_of_the_api_server(
    own_control_plane: ControlPlane, namespace: str
) -> None:
    def keys() -> str:
        return own_control_plane.kubectl("get", "--raw", "/openid/v1/jwks")

    own_control_plane.kubectl("create", "configmap", "kept", "-n", namespace)
    before = keys()

    own_control_plane.stop_apiserver()
    with pytest.raises(KubectlFailedError, match="refused"):
        keys()
    own_control_plane.start_apiserver()

    own_control_plane.kubectl("get", "configmap", "kept", "-n", namespace)
    assert keys() == before


@pytest.mark.usefixtures("own_control_plane")
def test_it_outlives_the_thread_that_started_it() -> None:
    context: AbstractContextManager[ControlPlane] = ControlPlane.start()
    planes: list[ControlPlane] = []
    thread = threading.Thread(target=lambda: planes.append(context.__enter__()))
    thread.start()
    thread.join()

    try:
        assert planes[0].kubectl("get", "--raw", "/readyz") == "ok"
    finally:
        context.__exit__(None, None, None)


@pytest.mark.usefixtures("own_control_plane")
def test_envtest_s_binaries_make_a_control_plane_without_controllers() -> None:
    binaries = replace(Binaries.find(), kube_controller_manager=None)

    with ControlPlane.start(binaries=binaries) as plane:
        assert plane.kubectl("get", "--raw", "/readyz") == "ok"
        assert not plane.has_controllers


@pytest.mark.usefixtures("own_control_plane")
def test_a_component_that_ends_at_start_is_reported_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "etcd"
    broken.write_text("#!/bin/sh\necho the disk is made of cheese\nexit 3\n")
    broken.chmod(0o755)

    # Not `tmp_path`, which is too long for the names of sockets.
    with tempfile.TemporaryDirectory() as home:
        monkeypatch.setattr(tempfile, "tempdir", home)
        with (
            pytest.raises(ComponentFailedError, match=r"(?s)etcd ended with 3.*made of cheese"),
            ControlPlane.start(binaries=replace(Binaries.find(), etcd=broken)),
        ):
            pytest.fail("it started")

        assert not list(Path(home).iterdir())
