"""The operator, as a process of its own."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.watchdog import Watchdog
from demo.errors import DemoError

HOST = "127.0.0.1"
STOP_WITHIN = 20.0
TAIL_LINES = 20
ANSWER_WITHIN = 5.0


class OperatorService:
    """`cirahub operator` on a kubeconfig and an endpoints file; store, key and log in a folder.

    In a session of its own, so that a Ctrl-C in the terminal reaches only the demo, which then
    ends it; a watchdog ends it, and removes the folder, when the demo is killed.
    """

    def __init__(self, *, kubeconfig: Path, endpoints: Path, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "operator.log"
        self._port = _Port()
        key = directory / "key"
        key.touch(mode=0o600)
        key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        self.command: list[str] = [
            str(Path(sys.executable).with_name("cirahub")),
            "operator",
            f"--kubeconfig={kubeconfig}",
            f"--endpoints={endpoints}",
            f"--database=sqlite:///{directory / 'store.sqlite3'}",
            f"--key-file={key}",
            f"--listen={HOST}",
            f"--health-port={self._port.number}",
            f"--metrics-port={self._port.number}",
            "--log-format=console",
        ]
        self._watchdog: Watchdog | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self._port.number}"

    @property
    def url(self) -> str:
        """Of `/healthz`, `/readyz` and `/metrics`."""
        return f"http://{self.address}"

    def __enter__(self) -> Self:
        self._watchdog = Watchdog(self.directory)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # What is set for an operator of the viewer's own is not meant for this one.
                env={k: v for k, v in os.environ.items() if not k.startswith("CIRAHUB_")},
                start_new_session=True,
            )
        self._watchdog.add(self._process.pid)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._watchdog is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._watchdog.discard(self._process.pid)
        self._watchdog.close()
        self._port.close()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return None if self._process is None else self._process.poll()

    def check_running(self) -> None:
        """Raises DemoError when it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise DemoError(f"the operator ended with {self._process.returncode}")

    def ready(self) -> bool:
        try:
            return self._get("/readyz") is not None
        except (urllib.error.URLError, OSError):
            return False  # not listening yet, or listening and not ready

    def metrics(self) -> str:
        """In Prometheus' text format. Raises DemoError."""
        try:
            return self._get("/metrics").decode()
        except (urllib.error.URLError, OSError) as error:
            raise DemoError(
                f"the operator's {self.url}/metrics does not answer: {error}"
            ) from error

    def tail(self) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=ANSWER_WITHIN) as response:  # noqa: S310
            return bytes(response.read())


class _Port:
    """A free port that nobody else is given while we hold it.

    Linux lets a second socket bind it if both set SO_REUSEADDR and none listens yet (socket(7));
    asyncio's servers set it.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((HOST, 0))
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()
