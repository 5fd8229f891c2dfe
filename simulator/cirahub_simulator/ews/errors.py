"""What goes wrong: response codes of single messages, and SOAP faults of whole requests.

Codes are those of ResponseCodeType ([MS-OXWSCDATA] 2.2.5.24); the messages are those that
https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode gives, or
that Exchange is reported to send.
"""

from __future__ import annotations

from collections.abc import Mapping


class EwsError(Exception):
    """An error of one part of a request, which the others do not share."""

    def __init__(self, code: str, message: str, values: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.values = values or {}
        """`MessageXml` by name."""


class SoapFaultError(EwsError):
    """An error of the whole request."""

    def __init__(
        self,
        code: str,
        message: str,
        values: Mapping[str, str] | None = None,
        *,
        violation: str | None = None,
        status: int = 500,
    ) -> None:
        super().__init__(code, message, values)
        self.violation = violation
        """Of the schema, in the words of whoever saw it."""
        self.status = status


def schema_violation(violation: str) -> SoapFaultError:
    """A request that is not what the schema says."""
    return SoapFaultError(
        "ErrorSchemaValidation",
        f"The request failed schema validation: {violation}",
        violation=violation,
    )


def invalid_request(message: str = "The request is invalid.") -> SoapFaultError:
    """A request that the schema allows and that makes no sense."""
    return SoapFaultError("ErrorInvalidRequest", message)


def item_not_found() -> EwsError:
    """An item's id that names nothing, or nothing that the caller may see."""
    return EwsError("ErrorItemNotFound", "The specified object was not found in the store.")


def folder_not_found() -> EwsError:
    """A folder's id that names nothing, or nothing that the caller may see."""
    return EwsError("ErrorFolderNotFound", "The specified folder could not be found in the store.")


def malformed_id() -> EwsError:
    """An id that is no id at all."""
    return EwsError("ErrorInvalidIdMalformed", "Id is malformed.")


def access_denied() -> EwsError:
    """The caller may not do this there."""
    return EwsError("ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def no_mailbox() -> EwsError:
    """An address of nobody."""
    return EwsError(
        "ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it."
    )


def not_settable(path: str) -> EwsError:
    """A property that is read-only."""
    return EwsError("ErrorInvalidPropertySet", f"Set action is invalid for property. ({path})")


def not_deletable(path: str) -> EwsError:
    """A property that can't be deleted."""
    return EwsError(
        "ErrorInvalidPropertyDelete", f"Delete action is not supported for this property. ({path})"
    )


def not_appendable(path: str) -> EwsError:
    """A property to which nothing can be appended."""
    return EwsError(
        "ErrorInvalidPropertyAppend", f"Append action is invalid for property. ({path})"
    )


def not_requestable(path: str) -> EwsError:
    """A property that this operation, or this kind of item, doesn't answer."""
    return EwsError(
        "ErrorInvalidPropertyRequest", f"Property is not valid for this object type. ({path})"
    )


def not_supported(what: str) -> EwsError:
    """Something real that this simulator doesn't do; better said than guessed."""
    return EwsError("ErrorInvalidOperation", f"The simulator does not do this: {what}.")


def not_served(operation: str) -> SoapFaultError:
    """A published operation that this simulator doesn't have.

    Not ErrorInvalidRequest, which clients take for one of the version's and try others.
    """
    return SoapFaultError("ErrorInvalidOperation", f"The simulator does not do this: {operation}.")
