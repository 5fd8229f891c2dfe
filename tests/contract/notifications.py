"""Whether what Graph delivers to the endpoint of a subscription is what its documents say.

The published contract has no paths for it and no schema: a client is asked here, not a server. So
the schema is of the pages changenotificationcollection, changenotification and resourcedata of
https://learn.microsoft.com/graph/api/resources/, and of change-notifications-lifecycle-events.

On recordings of the simulator (`cirahub simulate` writes JSON Lines), or folders of them:
`python tests/contract/notifications.py PLACE ...`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema

_GUID: Final = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
_HEAD: Final[dict[str, Any]] = {
    "subscriptionId": _GUID,
    "subscriptionExpirationDateTime": {
        "type": "string",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
    },
    "clientState": {"type": ["string", "null"], "maxLength": 255},
    "tenantId": _GUID,
}
_CHANGE: Final = {
    "type": "object",
    "properties": _HEAD
    | {
        "id": {"type": "string"},
        "changeType": {"enum": ["created", "updated", "deleted"]},
        "resource": {"type": "string", "minLength": 1},
        "resourceData": {
            "type": "object",
            "properties": {
                "@odata.type": {"type": "string", "pattern": "^#Microsoft\\.Graph\\."},
                "@odata.id": {"type": "string"},
                "@odata.etag": {"type": "string"},
                "id": {"type": "string"},
            },
            "required": ["@odata.type", "@odata.id", "id"],
        },
    },
    "required": [
        "changeType",
        "resource",
        "subscriptionExpirationDateTime",
        "subscriptionId",
        "tenantId",
    ],
    "additionalProperties": False,
}
_LIFECYCLE: Final = {
    "type": "object",
    "properties": _HEAD
    | {"lifecycleEvent": {"enum": ["missed", "subscriptionRemoved", "reauthorizationRequired"]}},
    "required": ["lifecycleEvent", "subscriptionExpirationDateTime", "subscriptionId", "tenantId"],
    "additionalProperties": False,
}
_VALIDATOR: Final = jsonschema.Draft202012Validator(
    {
        "type": "object",
        "properties": {
            "value": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "if": {"required": ["lifecycleEvent"]},
                    "then": _LIFECYCLE,
                    "else": _CHANGE,
                },
            }
        },
        "required": ["value"],
        "additionalProperties": False,
    }
)


def problems(body: str) -> list[str]:
    """What is wrong with the body of a delivery, in words; empty when it is right."""
    try:
        value = json.loads(body)
    except ValueError as error:
        return [f"a notification's body is no JSON: {error}"]
    return [
        f"a notification: {error.json_path}: {error.message[:300]}"
        for error in _VALIDATOR.iter_errors(value)
    ]


def read_recording(path: Path) -> Iterator[str]:
    """The bodies of the deliveries of a recording; its other lines are not even read as JSON."""
    with path.open("rb") as lines:
        for line in lines:
            if line.startswith(b'{"service":"notification"'):
                yield str(json.loads(line)["request_body"])


def main(arguments: list[str]) -> int:
    """Judge recordings; 1 when something is wrong."""
    named = [Path(argument) for argument in arguments]
    bodies = [
        body
        for one in named
        for path in (sorted(one.glob("*.jsonl")) if one.is_dir() else [one])
        for body in read_recording(path)
    ]
    found = [problem for body in bodies for problem in problems(body)]
    sys.stdout.writelines(f"{problem}\n" for problem in found[:100])
    sys.stdout.write(f"{len(bodies)} deliveries of notifications, {len(found)} problems\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
