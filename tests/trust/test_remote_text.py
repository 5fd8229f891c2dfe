"""Text from a remote never reaches status, events or logs, unescaped or with personal data in it:
not from Entra, not from a vault, not from Graph."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from tests.identity.conftest import SECRET, SignIn

from cirahub_operator.logs import described
from cirahub_sync.errors import CirahubError
from cirahub_sync.origins import Origins

from .conftest import ENTRA, GRAPH, Serve, trusting
from .test_redirects import ATTEMPTS, Attempt

CANARIES = ("Pimpernell", "zimtstern", "ann@contoso", "\x1b", "\x00", "\r", "\u202e", "<script")
NASTY = (
    "Pimpernell\x1b[31m\x1b]0;zimtstern\x07\r\n2026-11-23 INFO all is well\u202e "
    "<script>alert(1)</script> ann@contoso.example"
)

Answer = Callable[[web.Request], web.Response]


def _json(status: int, body: object, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.json_response(body, status=status, headers=named)


def _graph_like(code: str, status: int) -> Answer:
    inner = {"code": code, "message": NASTY, "request-id": NASTY, "innererror": {"code": code}}
    return _json(
        status,
        {"error": {"code": code, "message": NASTY, "innererror": inner, "innerError": inner}},
        request_id="ann@contoso.example Pimpernell",
        Retry_After="Pimpernell",
        WWW_Authenticate='Bearer authorization="Pimpernell", resource="zimtstern"',
    )


def _oauth(error: object, **more: object) -> Answer:
    return _json(400, {"error": error, "error_description": NASTY, "error_uri": NASTY, **more})


def _raw(status: int, body: bytes, kind: str = "application/json") -> Answer:
    return lambda _: web.Response(status=status, body=body, content_type=kind)


ANSWERS: dict[str, Answer] = {
    "a refusal": _graph_like("Forbidden", 403),
    "unknown credentials": _graph_like("Unauthorized", 401),
    "nothing there": _graph_like("NotFound", 404),
    "a conflict": _graph_like("Conflict", 409),
    "gone": _graph_like("SyncStateNotFound", 410),
    "a bad request": _graph_like("BadRequest", 400),
    "a teapot": _graph_like("Teapot", 418),
    "too many": _graph_like("TooManyRequests", 429),
    "a broken server": _graph_like("InternalServerError", 500),
    "away": _graph_like("ServiceUnavailable", 503),
    "an unknown status": _graph_like("Odd", 799),
    "a code that is text": _graph_like(NASTY, 403),
    "a code that is long": _graph_like("Pimpernell" * 10_000, 400),
    "a code with a blank": _graph_like("Not Pimpernell", 404),
    "an OAuth error": _oauth("invalid_client", error_codes=[7000215], trace_id=NASTY),
    "an OAuth error that is text": _oauth(NASTY, error_codes=[NASTY], correlation_id=NASTY),
    "an OAuth error that is a list": _oauth([NASTY], error_codes={"a": NASTY}, trace_id=[1]),
    "an OAuth error without codes": _oauth("invalid_grant", error_codes=NASTY),
    "a code that is a huge number": _oauth("invalid_client", error_codes=[10**40, -1]),
    "a success that is none": _json(200, {"value": NASTY, "error": NASTY}),
    "a success with a broken token": _json(200, {"access_token": {"a": NASTY}, "value": [NASTY]}),
    "a list": _json(200, [NASTY]),
    "a word": _json(200, NASTY),
    "nothing": _raw(200, b""),
    "null": _raw(400, b"null"),
    "a number": _raw(400, b"7"),
    "a page": _raw(400, NASTY.encode(), "text/html"),
    "a page that succeeds": _raw(200, NASTY.encode(), "text/html"),
    "a megabyte": _raw(400, json.dumps({"error": {"code": "x", "message": NASTY * 9000}}).encode()),
    "a megabyte of words": _raw(500, NASTY.encode() * 9000, "text/plain"),
    "bytes that are no text": _raw(400, b'{"error":{"code":"\xff\xfe Pimpernell"}}'),
    "a list in a list in a list": _raw(400, b"[" * 50_000),
    "a reason phrase": lambda _: web.Response(status=400, reason="Pimpernell zimtstern"),
    "half an answer": _raw(400, b'{"error":{"code":"Pimpernell'),
}


def _discovery(request: web.Request) -> web.Response:
    here = f"https://{request.host}"
    return web.json_response(
        {"authorization_endpoint": f"{here}/a", "token_endpoint": f"{here}/t", "issuer": here}
    )


@pytest.fixture(autouse=True)
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    for loud in ("msal", "azure", "urllib3", "aiohttp"):
        caplog.set_level(logging.WARNING, logger=loud)
    return caplog


SERVICES = [
    (host, attempt, late)
    for name, (host, attempt) in ATTEMPTS.items()
    for late in ((False, True) if host == ENTRA else (False,))
    if name in {"client secret", "vault", "graph, reading"}
]


@pytest.mark.parametrize(
    ("host", "attempt", "late"), SERVICES, ids=["configuration", "token", "vault", "graph"]
)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_what_a_remote_says_is_not_repeated(
    sign_in: SignIn,
    serve: Serve,
    said: pytest.LogCaptureFixture,
    host: str,
    attempt: Attempt,
    *,
    late: bool,
    answer: Answer,
) -> None:
    async def answering(request: web.Request) -> web.StreamResponse:
        if late and request.method == "GET":
            return _discovery(request)
        return answer(request)

    async with serve(answering) as server:
        origins = trusting({**sign_in.origins().origins, f"https://{host}": server.origin}, sign_in)
        error = await _error(attempt, sign_in, origins)
    if error is None:
        return  # An answer that is a success of this service: nothing is told.
    assert SECRET not in "".join(traceback.format_exception(error))
    assert _told(str(error)) == []
    assert "team/contoso" in str(error) or host == GRAPH
    assert len(str(error)) < 1000
    assert str(error).isprintable()
    assert _told("\n".join(described(error))) == []
    ours = [record for record in said.records if not record.name.startswith("cirahub_simulator")]
    assert _told("\n".join(record.getMessage() for record in ours)) == []
    assert error.reason.isidentifier()


async def _error(
    attempt: Callable[[SignIn, Origins], Awaitable[Any]], sign_in: SignIn, origins: Origins
) -> CirahubError | None:
    """Anything that is no error of ours would end as a crash with a text of the remote's."""
    try:
        await attempt(sign_in, origins)
    except CirahubError as error:
        return error
    return None


def _told(text: str) -> list[str]:
    folded = text.casefold()
    return [canary for canary in CANARIES if canary.casefold() in folded]
