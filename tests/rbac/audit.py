"""What the API server wrote down of one user's requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cirahub_operator.permissions import Action, Rule

OPEN_TO_ALL = frozenset({"selfsubjectaccessreviews"})
"""What `system:basic-user` grants to everyone who is signed in."""


@dataclass(frozen=True)
class Entry:
    verb: str
    group: str
    resource: str
    """With its subresource; blank for what is no resource (discovery)."""
    namespace: str
    name: str
    code: int

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Entry:
        """`event`: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/"""
        what = event.get("objectRef") or {}
        parts = (what.get("resource", ""), what.get("subresource", ""))
        return cls(
            verb=event["verb"],
            group=what.get("apiGroup", ""),
            resource="/".join(filter(None, parts)),
            namespace=what.get("namespace", ""),
            name=what.get("name", ""),
            code=event.get("responseStatus", {}).get("code", 0),
        )

    def takes(self, action: Action) -> bool:
        """Whether the action is what had to be allowed for this."""
        return (
            (self.verb, self.group, self.resource) == (action.verb, action.group, action.resource)
        ) and (not action.name or action.name == self.name)


def entries(log: Path, user: str) -> Iterator[Entry]:
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if event["user"]["username"] == user:
            yield Entry.of(event)


def refused(found: Sequence[Entry]) -> list[Entry]:
    return [one for one in found if one.code in {401, 403}]


def uncovered(found: Sequence[Entry], rules: Sequence[Rule]) -> set[Entry]:
    """Requests that no rule admits."""
    actions = [action for rule in rules for action in rule.actions]
    return {
        one
        for one in found
        if one.resource
        and one.resource not in OPEN_TO_ALL
        and not any(one.takes(action) for action in actions)
    }


def unused(found: Sequence[Entry], rules: Sequence[Rule]) -> list[str]:
    """What is granted and was not needed."""
    return [
        f"{rule.key}: {action}"
        for rule in rules
        for action in rule.actions
        if not any(one.takes(action) for one in found)
    ]
