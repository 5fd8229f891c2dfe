"""Graph's error body, for every answer that is not a success."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

import msgspec

from cirahub_simulator.wire import Request, Response


def request_ids(request: Request) -> tuple[str, str]:
    """The ids of an answer: a fresh request-id, and the client's own id or the same again.

    https://learn.microsoft.com/graph/best-practices-concept (client-request-id) and
    https://learn.microsoft.com/graph/errors (`innererror`).
    """
    request_id = str(uuid.uuid4())
    return request_id, request.headers.get("client-request-id") or request_id


def graph_error(
    request: Request,
    now: datetime,
    status: int,
    code: str,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as https://learn.microsoft.com/graph/errors documents it.

    The published page writes `innererror`; the published contract and the service's answers have
    `innerError` with `date`, `request-id` and `client-request-id`. The contract says that `date`
    is a date-time, so it carries a zone here.
    """
    request_id, client_request_id = request_ids(request)
    body = {
        "error": {
            "code": code,
            "message": message,
            "innerError": {
                "date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        }
    }
    return Response(
        status,
        {
            "Content-Type": "application/json",
            "request-id": request_id,
            "client-request-id": client_request_id,
            **(headers or {}),
        },
        msgspec.json.encode(body),
    )
