"""What an Exchange Server answered, and which of our errors it is.

Of a failed answer only the status, the response code and the request id are kept: its text may name
people. Codes: ResponseCodeType of [MS-OXWSCDATA] 2.2.5.24,
https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.configuration import MailboxRights
from cirahub_sync.endpoints.exchange.line import Raw
from cirahub_sync.endpoints.exchange.wire import Fault, Message, UnreadableError, read
from cirahub_sync.errors import (
    AccessDeniedError,
    CirahubError,
    CursorExpiredError,
    EndpointUnavailableError,
    ProtocolError,
    TargetNotFoundError,
    ThrottledError,
)

_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,64}")

DEFAULT_BACK_OFF = 30.0
"""Seconds, when a busy server names none."""
THROTTLED = frozenset({"ErrorServerBusy", "ErrorExceededConnectionCount"})
"""The budget of the account, or of the mailbox, is used up:
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange."""
NOT_DONE = THROTTLED | {
    "ErrorBatchProcessingStopped",
    "ErrorInsufficientResources",
    "ErrorItemSave",
    "ErrorMailboxFailover",
    "ErrorMailboxMoveInProgress",
    "ErrorMailboxStoreUnavailable",
    "ErrorNoPublicFolderReplicaAvailable",
    "ErrorQuotaExceeded",
    "ErrorTooManyObjectsOpened",
}
"""Said before anything was written; may come right."""
UNCERTAIN = frozenset(
    {
        "ErrorConnectionFailed",
        "ErrorInternalServerError",
        "ErrorInternalServerTransientError",
        "ErrorTimeoutExpired",
        "none",
    }
)
"""Whether something was written is not said."""
RETRIABLE = UNCERTAIN | (NOT_DONE - {"ErrorQuotaExceeded"})
"""After which a read is asked again."""
STALE = frozenset({"ErrorIrresolvableConflict", "ErrorStaleObject"})
GONE = frozenset(
    {"ErrorItemNotFound", "ErrorInvalidIdMalformed", "ErrorInvalidIdNotAnItemAttachmentId"}
)
"""An id that another server made, before a mailbox was moved, is malformed to this one."""
IMPERSONATION = frozenset(
    {
        "ErrorImpersonateUserDenied",
        "ErrorImpersonationDenied",
        "ErrorImpersonationFailed",
        "ErrorInvalidExchangeImpersonationHeaderData",
    }
)
DENIED = IMPERSONATION | {
    "ErrorAccessDenied",
    "ErrorCreateItemAccessDenied",
    "ErrorDeleteItemAccessDenied",
    "ErrorInsufficientPermissions",
}
NO_MAILBOX = frozenset(
    {
        "ErrorAccountDisabled",
        "ErrorMailboxConfiguration",
        "ErrorMissingEmailAddress",
        "ErrorNonExistentMailbox",
        "ErrorNonPrimarySmtpAddress",
    }
)
NO_FOLDER = frozenset(
    {
        "ErrorFolderNotFound",
        "ErrorParentFolderNotFound",
        "ErrorPublicFolderServerNotFound",
        "ErrorSyncFolderNotFound",
        "ErrorToFolderNotFound",
    }
)
PLACE = DENIED | NO_MAILBOX | NO_FOLDER
"""What concerns the place as a whole, and not an item in it."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was understood."""

    status: int
    messages: Sequence[Message] = ()
    fault: Fault | None = None
    """Of the request as a whole; with neither messages nor fault, the answer is the web server's,
    not the service's."""
    request_id: str

    @property
    def ok(self) -> bool:
        return self.fault is None and bool(self.messages)

    @property
    def code(self) -> str:
        return "" if self.fault is None else self.fault.code

    @property
    def back_off(self) -> float | None:
        return None if self.fault is None else self.fault.back_off

    @property
    def summary(self) -> str:
        """For messages and logs: no content, no remote text but the code."""
        return " ".join(
            part for part in (str(self.status), self.code, f"request {self.request_id}") if part
        )

    def told(self, message: Message) -> str:
        """The same of one of its messages."""
        return f"{message.code} request {self.request_id}"


def reply_of(raw: Raw, client_request_id: str) -> Reply:
    """Raises UnreadableError for an answer that begins like the service's and is cut off."""
    request_id = _request_id(raw.headers) or client_request_id
    if "xml" not in raw.headers.get("content-type", "").lower():
        return Reply(status=raw.status, request_id=request_id)
    try:
        found = read(raw.body)
    except UnreadableError:
        if raw.status == 200:
            raise
        return Reply(status=raw.status, request_id=request_id)
    if isinstance(found, Fault):
        return Reply(status=raw.status, fault=found, request_id=request_id)
    return Reply(status=raw.status, messages=found, request_id=request_id)


def _request_id(headers: Mapping[str, str]) -> str:
    """Exchange 2013 and newer name one: [MS-OXWSCDATA] does not, its logs do."""
    found = headers.get("request-id", "")
    return found if _REQUEST_ID.fullmatch(found) else ""


def failure(
    reply: Reply, what: str, rights: MailboxRights | None, message: Message | None = None
) -> CirahubError:
    """The error that a failed answer is, or one of its messages. `what` names the object, `rights`
    by which right it is opened: None for public folders."""
    code = reply.code if message is None else message.code
    told = reply.summary if message is None else reply.told(message)
    back_off = reply.back_off if message is None else message.back_off
    text = f"{what}: Exchange answered {told}"
    if code in IMPERSONATION:
        return AccessDeniedError(
            f"{text}; let the account impersonate this mailbox: give it the management role "
            "ApplicationImpersonation with a scope that has the mailbox in it, or set "
            "exchangeServer.mailboxAccess: Delegate; an application that signs in by tokens takes "
            "the permission full_access_as_app of Office 365 Exchange Online"
        )
    if code in DENIED:
        return AccessDeniedError(f"{text}; {_REMEDIES[rights]}")
    if code in NO_MAILBOX:
        return TargetNotFoundError(
            f"{text}; there is no mailbox of that address on this server (or it is disabled): "
            "create or enable it, or delete the spoke and create one for another mailbox"
        )
    if code in NO_FOLDER:
        return TargetNotFoundError(
            f"{text}; it does not exist (any more), or may not be seen: restore it, or delete the "
            "spoke that names it"
        )
    if code == "ErrorInvalidSyncStateData":
        return CursorExpiredError(f"{text}; the round starts from nothing")
    if code in THROTTLED:
        return ThrottledError(
            f"{text}; comes right by itself. If it lasts, give the account a throttling policy of "
            "its own",
            retry_after=back_off or DEFAULT_BACK_OFF,
        )
    if code in RETRIABLE or (not code and reply.status >= 500):
        return EndpointUnavailableError(f"{text}; will be tried again")
    if not code and reply.status == 403:
        return AccessDeniedError(
            f"{text}; the server lets this account use no Exchange Web Services: check EwsEnabled "
            "and EwsApplicationAccessPolicy of its mailbox and of the organisation"
        )
    if not code:
        return ProtocolError(
            f"{text}, which is none of Exchange Web Services': check exchangeServer.host, and what "
            "is between here and the server"
        )
    return ProtocolError(f"{text}, which this request should not meet; please report it")


_REMEDIES: Mapping[MailboxRights | None, str] = {
    MailboxRights.IMPERSONATION: "the mailbox's owner may not do this there, in whose place the "
    "account acts: check the folder's permissions and holds",
    MailboxRights.DELEGATE: "give the account Full Access to this mailbox, or set "
    "exchangeServer.mailboxAccess: Impersonation",
    None: "give the account a role on this public folder: Reviewer to read it, Publishing Editor "
    "to write there",
}
