"""What an answer of the API server means that is not the one that was asked for.

Source: Kubernetes, "API conventions", on HTTP status codes and the kind Status.
"""

from __future__ import annotations

import json

from cirahub_operator.errors import (
    ClusterConflictError,
    ClusterRefusedError,
    ClusterUnreachableError,
    NamespaceTerminatingError,
    OperatorError,
    PermissionMissingError,
)


def replaced(status: int, data: bytes) -> bool:
    """Whether an apply was refused because the object of that uid is gone: 409 if nothing has its
    name, 422 if something else has."""
    return (status == 409 and b"uid mismatch" in data) or (
        status == 422 and b"metadata.uid" in data
    )


def refusal(method: str, path: str, status: int, data: bytes) -> OperatorError:
    try:
        message = str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError):
        message = "no explanation"
    text = f"{method} {path}: {status}, {' '.join(message.split())[:500]}"
    if status == 403 and b'"NamespaceTerminating"' in data:
        return NamespaceTerminatingError(text)
    if status in {401, 403}:
        return PermissionMissingError(f"{text}; grant the operator's ServiceAccount that right")
    if status == 409:
        return ClusterConflictError(text)
    if status in {408, 429, 502, 503, 504} or (status == 500 and method == "GET"):
        return ClusterUnreachableError(text)
    return ClusterRefusedError(text)
