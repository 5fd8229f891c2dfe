"""Making a folder or a calendar, never twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from cirahub_sync.endpoints.attempts import AnswerLostError
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.graph.answers import failure, read
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import CirahubError, ProtocolError


class _Made(msgspec.Struct):
    id: str


_MADE = msgspec.json.Decoder(_Made)


async def made(
    session: GraphSession,
    mailbox: str,
    path: str,
    name: Mapping[str, str],
    *,
    fence: Fence,
    what: str,
    role: str,
    seen: Callable[[], Awaitable[str | None]],
) -> str:
    """The id of the one that is made at `path`; where that stays open, of the one that is `seen`
    then: somebody may have made it.

    Exchange refuses a second folder of the same name (`ErrorFolderExists`), so two that make it at
    the same time end with the same one, and an answer that was lost does no harm.
    """
    lost: CirahubError
    try:
        body = msgspec.json.encode(name)
        answer = await session.write(mailbox, "POST", path, body, fence=fence)
        if answer.ok:
            return read(_MADE, answer, what).id
        lost = failure(answer, what, role=role)
        if answer.status != 409 and answer.status < 500 and answer.code != "ErrorFolderExists":
            raise lost
    except (AnswerLostError, ProtocolError) as error:
        lost = error
    found = await seen()
    if found is None:
        raise lost
    return found
