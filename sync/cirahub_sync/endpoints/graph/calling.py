"""Calling a service of Microsoft's with a token, and what it means when no answer comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp

from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError
from cirahub_sync.endpoints.graph.answers import Answer
from cirahub_sync.errors import EndpointUnavailableError
from cirahub_sync.identity.base import TokenProvider


async def signed_in(
    tokens: TokenProvider, scope: str, send: Callable[[str], Awaitable[Answer]]
) -> Answer:
    """The answer to what is sent with a token; once more with a new one after a 401, which had no
    effect."""
    token = (await tokens.token(scope)).token
    answer = await send(token)
    if answer.status != 401:
        return answer
    if (await tokens.token(scope)).token == token:
        await tokens.invalidate()
    return await send((await tokens.token(scope)).token)


def lost(text: str, error: BaseException, request_id: str) -> EndpointUnavailableError:
    """`text` names the service."""
    name = type(error).__name__
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return NotSentError(
            f"{text} cannot be reached ({name}, request {request_id}); check name resolution, "
            "proxies, firewalls and the certificate authority"
        )
    return AnswerLostError(
        f"{text} gave no whole answer ({name}, request {request_id}); will be tried again"
    )
