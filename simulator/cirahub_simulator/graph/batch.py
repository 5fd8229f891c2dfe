"""JSON batching: up to twenty requests in one.

https://learn.microsoft.com/graph/json-batching. Each request is served, metered and made to fail on
its own; the batch as a whole fails only when it is malformed.
"""

from __future__ import annotations

import random
from base64 import b64encode, urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Literal

import msgspec

from cirahub_simulator.graph.errors import GraphError, bad_request, unreadable_body
from cirahub_simulator.odata import graph_error, request_ids
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

MAX_REQUESTS = 20

_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))


class _Part(msgspec.Struct, rename="camel"):
    id: str
    method: str
    url: str
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"")
    depends_on: list[str] = []


class _Batch(msgspec.Struct):
    requests: list[_Part]


class _Answer(msgspec.Struct, omit_defaults=True):
    id: str
    status: int
    headers: dict[str, str]
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Answers(msgspec.Struct):
    responses: list[_Answer]


_decoder = msgspec.json.Decoder(_Batch)
_encoder = msgspec.json.Encoder()


def serve_batch(world: World, request: Request, serve: Callable[[Request], Response]) -> Response:
    """Answer a batch; `serve` answers each of its requests. Raises GraphError."""
    parts = _read(request.body)
    request_id, client_request_id = request_ids(request)
    statuses: dict[str, int] = {}
    answers: list[_Answer] = []
    for part in _in_order(parts, world.switches.batch_order):
        failed = [name for name in part.depends_on if statuses[name.lower()] >= 400]
        inner = _inner(request, part, request_id)
        if failed:
            response = graph_error(
                inner,
                world.clock.now(),
                424,
                "FailedDependency",
                f"The request depends on '{failed[0]}', which failed.",
            )
        else:
            response = _serve_part(world, inner, serve)
        statuses[part.id.lower()] = response.status
        answers.append(_answer(part.id, response))
    _arrange(answers, world.switches.batch_answers)
    return Response(
        200,
        {
            "Content-Type": "application/json",
            "request-id": request_id,
            "client-request-id": client_request_id,
        },
        _encoder.encode(_Answers(answers)),
    )


def parts_of(request: Request) -> list[Request]:
    """A batch's requests, in the order they were written; none if it can't be read."""
    try:
        return [_inner(request, part, "") for part in _read(request.body)]
    except GraphError:
        return []


def _read(body: bytes) -> list[_Part]:
    try:
        parts = _decoder.decode(body).requests
    except msgspec.ValidationError as error:
        raise bad_request(f"Invalid batch payload format: {error}.") from error
    except msgspec.DecodeError as error:
        raise unreadable_body() from error
    if not parts:
        raise bad_request("Invalid batch payload format: no requests.")
    if len(parts) > MAX_REQUESTS:
        raise bad_request(
            f"Number of batch request steps exceeds the maximum value of {MAX_REQUESTS}."
        )
    ids = {part.id.lower() for part in parts}
    if len(ids) != len(parts):
        raise bad_request("Invalid batch payload format: ids are not unique.")
    for part in parts:
        _check(part, ids)
    return parts


def _check(part: _Part, ids: set[str]) -> None:
    if not part.id or part.method.upper() not in _METHODS or not part.url:
        raise bad_request(f"Request id : {part.id} has no id, no known method or no url.")
    if "://" in part.url.partition("?")[0]:
        raise bad_request(f"Request id : {part.id} has an absolute url.")
    writes = part.method.upper() in ("POST", "PUT", "PATCH")
    if _content(part) and not any(name.lower() == "content-type" for name in part.headers):
        raise bad_request(
            f"Write request id : {part.id} does not contain Content-Type header or body."
            if writes
            else f"Request id : {part.id} has a body and no Content-Type header."
        )
    for dependency in part.depends_on:
        if dependency.lower() not in ids or dependency.lower() == part.id.lower():
            raise bad_request(f"Request id : {part.id} depends on an unknown request.")


def _content(part: _Part) -> bytes:
    """A part's body. Null is none."""
    body = bytes(part.body)
    if body == b"null":
        return b""
    return _binary(part, body) if body.startswith(b'"') else body


def _binary(part: _Part, body: bytes) -> bytes:
    """What is not JSON is written as base64, of one alphabet or the other. Raises GraphError.

    https://learn.microsoft.com/graph/json-batching: a JSON object or a base64 URL-encoded value.
    """
    text = msgspec.json.decode(body, type=str)
    try:
        return urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
    except Base64Error as error:
        raise bad_request(f"The body of request id : {part.id} is not base64.") from error


def _in_order(parts: list[_Part], order: Literal["as-sent", "reversed", "shuffled"]) -> list[_Part]:
    """The order of execution: the switch's, bent by `dependsOn`. Raises GraphError for a cycle."""
    waiting = list(parts)
    if order == "reversed":
        waiting.reverse()
    elif order == "shuffled":
        random.Random(len(parts)).shuffle(waiting)  # noqa: S311 - repeatable disorder
    if not any(part.depends_on for part in parts):
        return waiting
    ordered: list[_Part] = []
    done: set[str] = set()
    while waiting:
        ready = next(
            (p for p in waiting if all(name.lower() in done for name in p.depends_on)), None
        )
        if ready is None:
            raise bad_request("Invalid batch payload format: dependsOn goes in a circle.")
        waiting.remove(ready)
        ordered.append(ready)
        done.add(ready.id.lower())
    return ordered


def _inner(request: Request, part: _Part, request_id: str) -> Request:
    """A part as a request of its own: it has the batch's caller, and only its own headers."""
    path, _, query = part.url.partition("?")
    headers = {name.lower(): value for name, value in part.headers.items()}
    outer_id = request.headers.get("client-request-id")
    if outer_id is not None and "client-request-id" not in headers:
        headers["client-request-id"] = outer_id
    return Request(
        method=part.method.upper(),
        path=path if path.startswith("/") else f"/{path}",
        query=query,
        headers=headers,
        body=_content(part),
        origin=request.origin,
        client=request.client,
        service=request.service,
        handshakes=request.handshakes,
        batch=request_id,
    )


def _serve_part(world: World, request: Request, serve: Callable[[Request], Response]) -> Response:
    if request.client is None:  # the admin endpoint's: neither faults nor log
        return serve(request)
    fault = world.faults.decide(request)
    if fault is None:
        response = serve(request)
    elif fault.after_effect:
        serve(request)
        response = fault.response(request, world.clock.now())
    else:
        response = fault.response(request, world.clock.now())
    world.journal.note(request, response, fault=fault.rule.id if fault is not None else None)
    return response


def _answer(part_id: str, response: Response) -> _Answer:
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    if response.body:
        content_type = response.headers.get("Content-Type", "")
        raw = response.body
        if content_type.startswith("text/"):
            raw = _encoder.encode(raw.decode())
        elif content_type.startswith("image/"):
            raw = _encoder.encode(b64encode(raw).decode())
        body = msgspec.Raw(raw)
    return _Answer(part_id, response.status, response.headers, body)


def _arrange(answers: list[_Answer], order: Literal["as-done", "reversed", "shuffled"]) -> None:
    if order == "reversed":
        answers.reverse()
    elif order == "shuffled":
        random.Random(len(answers)).shuffle(answers)  # noqa: S311 - repeatable disorder
