"""An example of `examples/`, applied to a Kubernetes API and played by the operator."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cirahub_simulator.seed.loader import ORGANISATION
from demo.stage import Stage

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
NAMESPACE = "cirahub-demo"
KINDS = "hubs,spokes,spokesets,connections"
WITHIN = 240.0
"""Seconds until what is waited for has come; after that it is taken not to come."""

_asked = itertools.count(1)


class Played:
    def __init__(self, stage: Stage, example: str) -> None:
        self._stage = stage
        self._example = EXAMPLES / example
        self.simulator = stage.simulator
        self.admin = stage.simulator.admin

    def apply(self) -> None:
        self._stage.plane.kubectl("apply", "--server-side", "--kustomize", str(self._example))

    def kubectl(self, *arguments: str) -> str:
        """In the example's namespace."""
        return self._stage.plane.kubectl("-n", NAMESPACE, *arguments)

    def show(self, kind: str, name: str, path: str) -> str:
        """A JSONPath of an object."""
        return self.kubectl("get", kind, name, f"--output=jsonpath={path}")

    def reason(self, kind: str, name: str, condition: str = "Ready") -> str:
        return self.show(kind, name, f'{{.status.conditions[?(@.type=="{condition}")].reason}}')

    def missing(self, connection: str) -> list[str]:
        """The permissions that a Connection says it lacks."""
        told = self.show("connection", connection, "{.status.permissionsMissing}")
        return sorted(json.loads(told or "[]"))

    def look(self, kind: str, name: str) -> None:
        """Have an object looked at now."""
        annotation = f"reconcile.cirahub.io/requestedAt={next(_asked)}"
        self.kubectl("annotate", "--overwrite", kind, name, annotation)

    def until(self, holds: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + WITHIN
        while not holds():
            if time.monotonic() >= end:
                told = self.kubectl("get", KINDS, "-o", "wide")
                raise AssertionError(f"{what}\n{told}\n{self._stage.log_tail()}")
            time.sleep(0.5)

    def wait_ready(self) -> None:
        """Until everything of the example is `Ready`."""
        self.kubectl("wait", "--for=condition=Ready", KINDS, "--all", "--timeout=120s")

    def erase(self, kind: str, name: str) -> None:
        """Delete an object with its copies, without grace."""
        self.kubectl("annotate", "--overwrite", kind, name, "cirahub.io/erase=now")
        self.kubectl("delete", kind, name, "--timeout=240s")


def seed() -> list[dict[str, Any]]:
    """What the simulated organisations begin with."""
    return [json.loads(line) for line in ORGANISATION.read_text().splitlines()]
