"""What pods of the operator and its workers said, those gone by too, and what none may say."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from demo.mailbox import Held
from e2e.release import NAMESPACE

EVERY = 0.1
SHORTEST = 10
"""Characters of a text that is told from what anybody says; of two words at least."""
TRACEBACK = "Traceback (most recent call last)"
PHONES = ("businessPhones", "homePhones", "mobilePhone")
TEXTS = ("displayName", "personalNotes")


class Said:
    """Logs are kept by a second name for each file, since the first goes with its pod."""

    def __init__(self, logs: Path, kept: Path) -> None:
        self._logs = logs
        self._kept = kept

    @classmethod
    @contextmanager
    def listening(cls, logs: Path, kept: Path) -> Iterator[Self]:
        """`kept` is made, on the file system of `logs`. Raises at the end what went wrong with
        it."""
        kept.mkdir()
        said = cls(logs, kept)
        ended = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                while not ended.wait(EVERY):
                    said._keep()
            except BaseException as error:  # raised again where somebody waits for it
                failures.append(error)

        thread = threading.Thread(target=run, name="said", daemon=True)
        thread.start()
        try:
            yield said
        finally:
            ended.set()
            thread.join()
        if failures:
            raise failures[0]

    def lines(self) -> Iterator[str]:
        """Of all processes, one process after the other."""
        self._keep()
        for file in sorted(self._kept.iterdir()):
            yield from plain(file.read_text(errors="replace").splitlines())

    def processes(self, container: str) -> int:
        """Of that name."""
        return len(list(self._kept.glob(f"{container}-*")))

    def _keep(self) -> None:
        try:
            logs = list(self._logs.glob(f"{NAMESPACE}_*/*/*.log"))
        except FileNotFoundError:
            return  # a pod went in between; the next look is at hand
        for log in logs:
            try:
                pod, container = log.parts[-3].split("_")[1], log.parts[-2]
                kept = self._kept / f"{container}-{pod}-{log.stat().st_ino}.log"
                if not kept.exists():
                    os.link(log, kept)
            except FileNotFoundError:
                continue  # rotated, or gone with its pod, and kept by then


def plain(lines: Iterable[str]) -> Iterator[str]:
    """Without what the container's runtime puts before each: time, stream, and whether more of it
    follows (CRI, "Container Runtime Interface log format")."""
    begun = ""
    for line in lines:
        _, _, tag, text = (*line.split(" ", 3), "", "", "")[:4]
        begun += text
        if tag != "P":
            yield begun
            begun = ""


def canaries(contacts: Iterable[Held], secrets: Iterable[str]) -> set[str]:
    """People's data, and secrets: what no log may have."""
    found = set(secrets)
    for held in contacts:
        found |= held.emails
        numbers = [held.content.get(name) for name in PHONES]
        texts = [held.content.get(name) for name in TEXTS]
        found.update(one for one in _strings(numbers) if len(one) >= SHORTEST)
        found.update(one for one in _strings(texts) if len(one) >= SHORTEST and " " in one)
    return found


def told_too_much(lines: Iterable[str], forbidden: Iterable[str]) -> Iterator[str]:
    """Lines with a traceback, with an exception that nobody expected, or with a canary."""
    lowered = {one.lower() for one in forbidden}
    for line in set(lines):
        said = _as_read(line)
        if TRACEBACK in said or '"exception": ' in said:
            yield f"an exception: {line[:1000]}"
        lower = said.lower()
        yield from (f"{one!r} in: {line[:300]}" for one in lowered if one in lower)


def _as_read(line: str) -> str:
    """JSON may write letters as numbers."""
    try:
        return json.dumps(json.loads(line), ensure_ascii=False)
    except ValueError:
        return line


def _strings(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from _strings(value)
