"""A TCP port that stays ours, also while nothing of ours listens on it."""

import socket
from types import TracebackType
from typing import Self


class Reservation:
    """Holds a free port by a bound socket that never listens.

    Both sides set SO_REUSEPORT (socket(7)), kube-apiserver by ``--permit-port-sharing``, so
    it can bind the same port, again after a restart, and other programs cannot. While it is
    down, connections are refused, as they would be without the reservation.
    """

    def __init__(self, host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((host, 0))
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()
