"""What a process says aloud, kept: its log records as they are shown, and what ends it.

`.ci/run` names a folder in CIRAHUB_TEST_SAID; each process of the run writes a file of JSON lines
there, and `judge.py` holds them to what must never be said. Nothing of the product knows of this.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import threading
import traceback
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any

SAID = "CIRAHUB_TEST_SAID"
NOT_OURS = (
    "cirahub_simulator",
    "aiohttp.access",
    "aiohttp.server",
    "tests",
    "pytest",
    "hypothesis",
)
"""Loggers of the simulator, which stands for Microsoft's servers, and of the tests."""


class Ear:
    def __init__(self, folder: Path, *, product: bool, quiet: tuple[str, ...]) -> None:
        """`product`: everything in this process is ours, and an error that ends it is shown.
        `quiet`: loggers of which only warnings are shown."""
        path = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        self._file = path.open("ab", buffering=0)
        self._unwritten = b""
        self._writing = threading.Lock()
        self._product = product
        original = logging.Logger.callHandlers

        def handled(logger: logging.Logger, record: logging.LogRecord) -> None:
            muted = record.levelno < logging.WARNING and record.name.startswith(quiet)
            if not (muted or record.name.startswith(NOT_OURS)):
                self.note("log", f"{record.getMessage()}{self._error(record.exc_info)}")
            original(logger, record)

        logging.Logger.callHandlers = handled  # type: ignore[method-assign, assignment]
        if product:
            sys.excepthook = self._ended

    def note(self, kind: str, text: str) -> None:
        """`kind`: log, error, end or metric. Where a test lets this process's files grow no
        further, as on a full disk, it is written with the next one after that."""
        with self._writing:
            self._unwritten += json.dumps({"kind": kind, "text": text}).encode() + b"\n"
            try:
                while self._unwritten:
                    self._unwritten = self._unwritten[self._file.write(self._unwritten) :]
            except OSError as error:
                if error.errno != errno.EFBIG:
                    raise

    def _error(self, info: Any) -> str:
        if not info or info[1] is None:
            return ""
        if self._product and not _rendered():
            return "\n" + "".join(traceback.format_exception(*info))
        from cirahub_operator.logs import described  # most processes never log one

        return "\n" + "\n".join(described(info[1]))

    def _ended(
        self, kind: type[BaseException], error: BaseException, where: TracebackType | None
    ) -> None:
        self.note("end", "".join(traceback.format_exception(kind, error, where)))
        sys.__excepthook__(kind, error, where)


def _rendered() -> bool:
    """Whether the product's own log is set up, which shows no messages of foreign exceptions."""
    formatters = (handler.formatter for handler in logging.getLogger().handlers)
    return any(type(one).__name__ == "ProcessorFormatter" for one in formatters)


def listen(*, product: bool, quiet: tuple[str, ...] = ()) -> Ear | None:
    """None unless the run is to be judged."""
    folder = os.environ.get(SAID)
    return Ear(Path(folder), product=product, quiet=quiet) if folder else None
