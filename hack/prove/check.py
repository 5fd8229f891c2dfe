"""Whether breakages still fit the code: without running anything, so that they don't rot."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from prove.breakage import Breakage


def complaints(root: Path, breakages: Iterable[Breakage]) -> list[str]:
    """What does not fit, a line each."""
    every = list(breakages)
    labels = [one.label for one in every]
    found = [f"{label}: there are two of that name" for label in _twice(labels)]
    tests: dict[Path, frozenset[str]] = {}
    for one in every:
        found += [f"{one.label}: {why}" for why in _of_one(root, one, tests)]
    return found


def broken(whole: str, breakage: Breakage) -> str:
    """The file's text with the guard removed. Raises ValueError if that is not there once."""
    times = whole.count(breakage.old)
    if times != 1:
        raise ValueError(
            f"{breakage.file} has changed: what is to be replaced stands there {times} times; "
            "write this breakage anew"
        )
    return whole.replace(breakage.old, breakage.new)


def _of_one(root: Path, breakage: Breakage, tests: dict[Path, frozenset[str]]) -> Iterator[str]:
    if breakage.old == breakage.new:
        yield "it breaks nothing"
    path = root / breakage.file
    if not path.is_file():
        yield f"{breakage.file} is gone; write this breakage anew"
        return
    try:
        text = broken(path.read_text(encoding="utf-8"), breakage)
        if path.suffix == ".py":
            ast.parse(text)
    except SyntaxError as error:
        yield f"{breakage.file} would be no Python any more ({error.msg}, line {error.lineno})"
    except ValueError as error:
        yield str(error)
    for target in breakage.tests.split():
        name, _, test = target.partition("::")
        if not (root / name).exists():
            yield f"there is no {name}"
        elif test and test.partition("[")[0] not in _tests(root / name, tests):
            yield f"there is no test {test} in {name}"


def _tests(path: Path, known: dict[Path, frozenset[str]]) -> frozenset[str]:
    if path not in known:
        known[path] = frozenset(
            node.name
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
    return known[path]


def _twice(labels: list[str]) -> list[str]:
    return sorted({label for label in labels if labels.count(label) > 1})
