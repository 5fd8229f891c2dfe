"""What Graph answered, and which of our errors it is.

Of a failed answer only the status, the error's code and the request id are kept: its message may
name people (https://learn.microsoft.com/graph/errors).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from cirahub_sync.endpoints.graph.wire import ERROR, UNREADABLE, BatchPart
from cirahub_sync.errors import (
    AccessDeniedError,
    CirahubError,
    CredentialError,
    CursorExpiredError,
    EndpointUnavailableError,
    ProtocolError,
    TargetNotFoundError,
    ThrottledError,
)

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,64}")

NO_MAILBOX = frozenset(
    {"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorInvalidUser"}
)
"""github.com/microsoftgraph/microsoft-graph-docs-contrib, issues 405 and 6519."""
EXPIRED = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired"})
"""Codes of a delta token that is no longer known: delta-query-overview and
github.com/microsoftgraph/microsoft-graph-docs, issues 2162 and 2877."""
RETRIABLE = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which a read is asked again."""
DEFAULT_RETRY_AFTER = 5.0
"""Seconds, when a 429 names none."""


class Answer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes
    client_request_id: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The error's code, blank if the body is none of Graph's."""
        try:
            code = ERROR.decode(self.body).error.code
        except UNREADABLE:
            return ""
        return code if _CODE.fullmatch(code) else ""

    @property
    def retry_after(self) -> float | None:
        """Seconds; RFC 9110 10.2.3 allows a date too."""
        text = self.headers.get("retry-after")
        if text is None:
            return None
        if text.isdecimal():
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())

    @property
    def summary(self) -> str:
        """For messages and logs: no content, no remote text but the code."""
        remote = self.headers.get("request-id", "")
        id = remote if _REQUEST_ID.fullmatch(remote) else self.client_request_id  # noqa: A001
        return " ".join(part for part in (str(self.status), self.code, f"request {id}") if part)


def of_part(part: BatchPart, client_request_id: str) -> Answer:
    """One answer of a `$batch` as if it had come alone."""
    headers = {name.lower(): str(value) for name, value in (part.headers or {}).items()}
    return Answer(
        status=part.status,
        headers=headers,
        body=bytes(part.body),
        client_request_id=client_request_id,
    )


T = TypeVar("T")


def read(decoder: msgspec.json.Decoder[T], answer: Answer, what: str) -> T:
    """The answer's body. Raises ProtocolError if it is cut off or is something else."""
    try:
        return decoder.decode(answer.body)
    except UNREADABLE as error:
        raise unreadable(answer, what) from error


def unreadable(answer: Answer, what: str) -> ProtocolError:
    return ProtocolError(
        f"{what}: the answer of Graph cannot be read ({answer.summary}); will be tried again"
    )


def failure(answer: Answer, what: str, *, role: str) -> CirahubError:
    """The error that a failed answer is. `what` names the object, `role` what a 403 asks for."""
    text = f"{what}: Graph answered {answer.summary}"
    code = answer.code
    if answer.status == 401:
        return CredentialError(
            f"{text}; the token was refused twice: check that the application still exists and "
            "is enabled in this tenant"
        )
    if answer.status == 403 and code == "Authorization_RequestDenied":  # the directory's own
        return AccessDeniedError(f"{text}; grant the application the role {role} in this tenant")
    if answer.status == 403:
        return AccessDeniedError(
            f"{text}; grant the application the role {role} in this tenant, or, with Exchange RBAC "
            "for Applications, bring this mailbox into its scope"
        )
    if answer.status == 410 or code.lower() in EXPIRED:
        return CursorExpiredError(f"{text}; the round starts from nothing")
    if code in NO_MAILBOX:
        return TargetNotFoundError(
            f"{text}; the user has no mailbox in Exchange Online (or it is inactive): license it, "
            "or delete the spoke and create one for another mailbox"
        )
    if answer.status == 404:
        return TargetNotFoundError(
            f"{text}; it does not exist (any more): restore it, or delete the spoke that names it"
        )
    if answer.status == 429:
        return ThrottledError(
            f"{text}; comes right by itself", retry_after=answer.retry_after or DEFAULT_RETRY_AFTER
        )
    if answer.status in RETRIABLE or answer.status >= 500:
        return EndpointUnavailableError(f"{text}; will be tried again")
    return ProtocolError(f"{text}, which this request should not meet; please report it")
