"""What a service may do to requests, by the name that an example tells it by."""

from __future__ import annotations

from typing import Any

WRITES: dict[str, Any] = {"method": "POST", "path": r"/\$batch$"}
FAULTS: dict[str, dict[str, Any]] = {
    "an answer to a batch is dropped": {"kind": "drop", "moment": "after", **WRITES},
    "a batch is dropped": {"kind": "drop", "moment": "before", **WRITES},
    "an answer to a batch is cut off": {"kind": "truncate", "keep_bytes": 200, **WRITES},
    "a batch took effect and is answered 504": {
        "kind": "status",
        "status": 504,
        "moment": "after",
        **WRITES,
    },
    "a write took effect and is answered 504": {
        "kind": "status",
        "status": 504,
        "moment": "after",
        "path": "/contacts",
        "batched": True,
    },
    "a write is answered 503": {
        "kind": "status",
        "status": 503,
        "path": "/contacts",
        "batched": True,
    },
    "a write is answered 429": {
        "kind": "status",
        "status": 429,
        "retry_after": 1,
        "path": "/contacts",
        "batched": True,
    },
    "anything is answered 429": {"kind": "status", "status": 429, "retry_after": 1},
    "anything is answered 500": {"kind": "status", "status": 500},
    "anything is dropped": {"kind": "drop", "moment": "before"},
    "any answer is dropped": {"kind": "drop", "moment": "after"},
    "anything is answered 401": {"kind": "status", "status": 401},
    "a delta is answered 410": {"kind": "status", "status": 410, "path": "delta"},
    "an update is answered 412": {
        "kind": "status",
        "status": 412,
        "method": "PATCH",
        "batched": True,
    },
}
