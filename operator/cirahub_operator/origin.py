"""Where a secret comes from, as the configuration carries it: a line that people can read in a
message and a credential source can follow."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEXT = re.compile(r"^Secret ([^/ ]+)/([^/ ]+), key ([^ ]+)$")


@dataclass(frozen=True)
class SecretOrigin:
    """A key of a Kubernetes Secret, or several, separated by commas, whose values belong together:
    they are read at once and given one after the other."""

    namespace: str
    name: str
    key: str

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.key.split(","))

    def __str__(self) -> str:
        return f"Secret {self.namespace}/{self.name}, key {self.key}"

    @classmethod
    def parse(cls, text: str) -> SecretOrigin:
        """Raises ValueError if the text is not one of ours."""
        found = _TEXT.match(text)
        if found is None:
            raise ValueError(f"{text!r} names no Secret")
        return cls(*found.groups())
