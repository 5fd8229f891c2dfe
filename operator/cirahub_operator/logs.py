"""Structured logs: a JSON object a line for machines, colours for people.

An unexpected exception is logged by its type and where it was raised, without its message: that
may quote what it choked on, which may be somebody's data. Our own errors name ids only and are
shown whole.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cirahub_operator.errors import OperatorError
from cirahub_sync.errors import CirahubError

if TYPE_CHECKING:
    import structlog

QUIET = ("kopf", "aiohttp", "azure", "msal", "urllib3", "asyncio", "alembic")
"""Loggers that are heard only from WARNING on, unless everything is to be heard."""


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


def set_up(form: LogFormat, *, debug: bool) -> None:
    # Not at the top: who starts the operator says first what it does without.
    import structlog

    chain: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_messages,
    ]
    renderer: structlog.typing.Processor
    if form is LogFormat.JSON:
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.INFO if debug else logging.WARNING)


def without_messages(
    _: object, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: `exc_info` becomes `exception`."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[1] is not None:
        event["exception"] = "\n".join(described(info[1]))
    return event


def described(error: BaseException) -> list[str]:
    """An exception and its causes, outermost first, each with where it came from."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        name = f"{type(current).__module__}.{type(current).__qualname__}"
        ours = isinstance(current, OperatorError | CirahubError)
        lines.append(f"{name}: {current}" if ours else name)
        lines += _frames(current.__traceback__)
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return lines


def _frames(found: TracebackType | None) -> list[str]:
    return [
        f"  {frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(found, limit=-12)
    ]
