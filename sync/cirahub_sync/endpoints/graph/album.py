"""Photos of a mailbox's contacts (https://learn.microsoft.com/graph/api/resources/profilephoto).

Metadata come 20 in a `$batch`; pictures come and go one by one, since a batch would carry them in
base64, and all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cirahub_sync.endpoints.album import NO_PHOTO, Sent
from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError
from cirahub_sync.endpoints.base import Fence, Result
from cirahub_sync.endpoints.graph import wire
from cirahub_sync.endpoints.graph.answers import DEFAULT_RETRY_AFTER, NO_MAILBOX, Answer, failure
from cirahub_sync.endpoints.graph.place import ROLES, WRITE_ROLE, Place
from cirahub_sync.endpoints.graph.session import GraphSession

_JPEG = "image/jpeg"
_PIXEL = "1x1"
"""https://learn.microsoft.com/graph/api/profilephoto-get shows a GIF of this size, without an etag,
where there is no photo; elsewhere it says 404."""
_ABSENT = (404, 410)


class GraphAlbum:
    """Implements `endpoints.album.Album` over one mailbox."""

    def __init__(self, session: GraphSession, place: Place, fence: Fence) -> None:
        self._session = session
        self._place = place
        self._fence = fence
        self._what = f"connection {session.connection.name}: {place}"

    async def etags(self, ids: Sequence[str]) -> Mapping[str, str]:
        paths = [f"{self._place.item_path(each)}/photo" for each in ids]
        answers = await self._session.get_each(
            self._place.mailbox, paths, what=self._what, role=ROLES
        )
        found: dict[str, str] = {}
        for each, answer in zip(ids, answers, strict=True):
            if answer.code in NO_MAILBOX:
                raise failure(answer, self._what, role=ROLES)
            if answer.status in _ABSENT:
                found[each] = NO_PHOTO
            elif answer.ok and (shown := _shown(answer)) is not None:
                found[each] = shown
        return found

    async def read(self, id: str) -> bytes | None:  # noqa: A002
        path = f"/v1.0{self._picture(id)}"
        answer = await self._session.ask(self._place.mailbox, path, what=self._what, role=ROLES)
        if answer.status in _ABSENT and answer.code not in NO_MAILBOX:
            return None
        if not answer.ok:
            raise failure(answer, self._what, role=ROLES)
        return answer.body

    async def write(self, id: str, jpeg: bytes) -> Sent:  # noqa: A002
        return await self._send("PUT", id, jpeg, absent=Result.GONE)

    async def remove(self, id: str, etag: str) -> Sent:  # noqa: A002
        return await self._send("DELETE", id, b"", absent=Result.DONE, if_match=etag)

    async def _send(
        self, method: str, item: str, body: bytes, *, absent: Result, if_match: str = ""
    ) -> Sent:
        try:
            answer = await self._session.write(
                self._place.mailbox,
                method,
                f"/v1.0{self._picture(item)}",
                body,
                fence=self._fence,
                content_type=_JPEG,
                if_match=if_match,
            )
        except NotSentError as error:
            return Sent(result=Result.RETRY, error=str(error))
        except AnswerLostError as error:
            return Sent(result=Result.UNKNOWN, error=str(error))
        if answer.status in (401, 403) or answer.code in NO_MAILBOX:
            raise failure(answer, self._what, role=WRITE_ROLE)
        return Sent(
            result=_result(answer, absent),
            error="" if answer.ok else answer.summary,
            retry_after=_wait(answer),
        )

    def _picture(self, item: str) -> str:
        return f"{self._place.item_path(item)}/photo/$value"


def _shown(answer: Answer) -> str | None:
    """The etag that the metadata tell; None if they can't be read. Where they have none, the size
    stands in for it: a photo of another size is another one."""
    try:
        shown = wire.PHOTO.decode(answer.body)
    except wire.UNREADABLE:
        return None
    if shown.etag:
        return shown.etag
    return NO_PHOTO if shown.id in ("", _PIXEL) else shown.id


def _result(answer: Answer, absent: Result) -> Result:
    if answer.ok:
        return Result.DONE
    match answer.status:
        case 404 | 410:
            return absent
        case 412:
            return Result.STALE
        case 429:
            return Result.RETRY
        case 503 if answer.retry_after is not None:
            return Result.RETRY
        case status if status >= 500 or status == 408:
            return Result.UNKNOWN
        case _:
            return Result.REJECTED


def _wait(answer: Answer) -> float | None:
    if answer.status == 429:
        return answer.retry_after or DEFAULT_RETRY_AFTER
    return None if answer.ok else answer.retry_after
