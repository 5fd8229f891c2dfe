"""The pod that a worker runs in, as the operator's administrator wants it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cirahub_sync.errors import ConfigurationError

CONTAINER = "worker"
"""The name of the container that works; others are left as they are."""


class WorkerTemplate:
    """A `spec.template` of a Job, which lacks only what differs from Job to Job."""

    def __init__(self, raw: Mapping[str, Any], place: str) -> None:
        """`place`: where it comes from. Raises ConfigurationError."""
        self._raw = raw
        spec = raw.get("spec")
        containers = spec.get("containers") if isinstance(spec, dict) else None
        names = [one.get("name") for one in containers or () if isinstance(one, dict)]
        if names.count(CONTAINER) != 1:
            raise ConfigurationError(
                f"{place}: expected a pod template (metadata and spec) with a container named "
                f"{CONTAINER!r} that runs `cirahub worker`"
            )

    @classmethod
    def load(cls, path: Path) -> WorkerTemplate:
        """Raises ConfigurationError."""
        place = f"worker template {path}"
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigurationError(f"{place}: cannot be read ({error.strerror})") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            # Without what stands there.
            mark = getattr(error, "problem_mark", None)
            where = "" if mark is None else f" (line {mark.line + 1})"
            raise ConfigurationError(f"{place}: is not YAML{where}") from error
        return cls(raw if isinstance(raw, dict) else {}, place)

    def pod(self, arguments: Sequence[str], labels: Mapping[str, str]) -> dict[str, Any]:
        """The template with arguments added to the worker's own, and labels."""
        made = copy.deepcopy(dict(self._raw))
        metadata = made.setdefault("metadata", {})
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
        spec = made["spec"]
        # What a policy for failed pods asks for: a container that is started again in its pod
        # would never fail one.
        spec["restartPolicy"] = "Never"
        (worker,) = (one for one in spec["containers"] if one["name"] == CONTAINER)
        worker["args"] = [*(worker.get("args") or ()), *arguments]
        return made
