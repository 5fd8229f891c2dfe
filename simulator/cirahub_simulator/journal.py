"""What was asked and answered: a log to query, counters, and a recording of every exchange."""

from __future__ import annotations

from collections import Counter, deque
from typing import IO

import msgspec

from cirahub_simulator.clock import Clock
from cirahub_simulator.wire import Request, Response

KEPT = 200_000
"""Entries kept for queries; counters go on counting."""


class Entry(msgspec.Struct, kw_only=True):
    """One request and how it was answered, without bodies."""

    seq: int
    time: float
    """Seconds since the epoch, on the simulator's clock."""
    service: str
    method: str
    path: str
    query: str
    operation: str
    """Of Exchange Web Services; of Exchange's administration, the cmdlet."""
    status: int
    """0: the connection was dropped instead of an answer."""
    client_id: str | None
    client_request_id: str | None
    request_id: str | None
    batch: str | None
    """The request-id of the batch it was part of."""
    request_bytes: int
    response_bytes: int
    fault: str | None = None
    """The id of the fault rule that fired."""


class _Record(msgspec.Struct, kw_only=True):
    service: str
    method: str
    path: str
    query: str
    status: int
    request_headers: dict[str, str]
    request_body: str
    headers: dict[str, str]
    body: str
    batch: str | None
    fault: str | None


class Journal:
    """The log. A service notes the requests inside a batch; the server notes all others."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._seq = 0
        self.counters: Counter[str] = Counter()
        """By `service method status`, e.g. `graph POST 201`; parts of batches included."""
        self._recording: IO[bytes] | None = None

    def record_to(self, stream: IO[bytes] | None) -> None:
        """Write every exchange over Graph and EWS, and every delivery of notifications, to a stream
        from now on, as JSON Lines."""
        self._recording = stream

    def note(self, request: Request, response: Response, *, fault: str | None = None) -> None:
        """Remember a request and its answer, unless it is part of a user's own batch."""
        if request.client is None and request.batch is not None:
            return
        self._seq += 1
        headers = request.headers
        self._entries.append(
            Entry(
                seq=self._seq,
                time=self._clock.time(),
                service=request.service,
                method=request.method,
                path=request.path,
                query=request.query,
                operation=request.operation,
                status=response.status,
                client_id=request.client.client_id if request.client is not None else None,
                client_request_id=headers.get("client-request-id"),
                request_id=response.headers.get("request-id"),
                batch=request.batch,
                request_bytes=len(request.body),
                response_bytes=len(response.body),
                fault=fault,
            )
        )
        self.counters[f"{request.service} {request.method} {response.status}"] += 1
        if self._recording is not None and request.service in ("graph", "ews", "notification"):
            self._write(self._recording, request, response, fault)

    def _write(
        self, stream: IO[bytes], request: Request, response: Response, fault: str | None
    ) -> None:
        record = _Record(
            service=request.service,
            method=request.method,
            path=request.path,
            query=request.query,
            status=response.status,
            request_headers={
                name: value for name, value in request.headers.items() if name != "authorization"
            },
            request_body=request.body.decode("utf-8", "replace"),
            headers=response.headers,
            body=response.body.decode("utf-8", "replace"),
            batch=request.batch,
            fault=fault,
        )
        stream.write(msgspec.json.encode(record) + b"\n")

    def entries(self) -> list[Entry]:
        """What is kept, oldest first."""
        return list(self._entries)

    def clear(self) -> None:
        """Forget entries and counters."""
        self._entries.clear()
        self.counters.clear()
