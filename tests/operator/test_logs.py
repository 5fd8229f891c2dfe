"""Logs tell enough to find a fault, and nothing about people."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from cirahub_operator import logs
from cirahub_operator.errors import ClusterUnreachableError
from cirahub_operator.logs import LogFormat


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, one in levels.items():
        logging.getLogger(name).setLevel(one)


def failing(error: Exception) -> None:
    try:
        choke(error)
    except Exception:
        logging.getLogger("test").exception("Hub %s: failed", "demo/staff")


def choke(error: Exception) -> None:
    try:
        dict[str, str]()["ann@contoso.com"]
    except KeyError as inner:
        raise error from inner


def test_a_line_is_json_with_time_level_and_logger(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogFormat.JSON, debug=False)
    logging.getLogger("test").info("Hub %s: a pass", "demo/staff")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "Hub demo/staff: a pass"
    assert (line["level"], line["logger"]) == ("info", "test")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", list(LogFormat))
def test_a_foreign_exception_s_message_is_not_logged(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(form, debug=False)
    failing(ValueError("could not parse ann@contoso.com"))
    text = capsys.readouterr().err
    assert "contoso.com" not in text
    assert "builtins.ValueError" in text
    assert "builtins.KeyError" in text
    assert "in choke" in text


def test_our_own_errors_are_logged_whole(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogFormat.JSON, debug=False)
    failing(ClusterUnreachableError("no answer from the API server"))
    assert "no answer from the API server" in capsys.readouterr().err
