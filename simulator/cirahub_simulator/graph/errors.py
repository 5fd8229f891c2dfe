"""Graph's errors: status, code and message of each, as documented or as reported.

The form of the body is https://learn.microsoft.com/graph/errors; codes that Exchange gives are in
no list, so each one here names where it was seen.
"""

from __future__ import annotations


class GraphError(Exception):
    """An answer that is an error. The service turns it into a response, with its innerError."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def bad_request(message: str, code: str = "BadRequest") -> GraphError:
    """400 for a malformed request."""
    return GraphError(400, code, message)


def unreadable_body() -> GraphError:
    """A body that is no JSON object: github.com/dcblogdev/laravel-microsoft-graph, issue 22."""
    return GraphError(400, "UnableToDeserializePostBody", "were unable to deserialize ")


def unknown_property(name: str, type_name: str) -> GraphError:
    """A property outside the type: github.com/microsoftgraph/msgraph-sdk-dotnet, issue 450."""
    return GraphError(
        400,
        "RequestBodyRead",
        f"The property '{name}' does not exist on type '{type_name}'. Make sure to only use "
        "property names that are defined by the type or mark the type as open type.",
    )


def invalid_value(name: str, reason: str) -> GraphError:
    """A value of the wrong type. Graph's wording varies with the reader that stumbles."""
    return GraphError(
        400, "RequestBodyRead", f"The value of the property '{name}' cannot be read: {reason}."
    )


def too_many_values(name: str, count: int, limit: int) -> GraphError:
    """More values than Outlook has fields: github.com/microsoftgraph/microsoft-graph-docs, 15276.

    The report gives the message and the status, not the code.
    """
    return GraphError(
        400,
        "ErrorInvalidArgument",
        f"The multi value property {name} has {count} entries, "
        f"that exceeds the max allowed value of {limit}",
    )


def no_token() -> GraphError:
    """https://learn.microsoft.com/graph/resolve-auth-errors"""
    return GraphError(401, "InvalidAuthenticationToken", "Access token is empty.")


def access_denied() -> GraphError:
    """The app role for a mailbox is missing."""
    return GraphError(
        403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."
    )


def directory_access_denied() -> GraphError:
    """The app role for the directory is missing: https://learn.microsoft.com/graph/json-batching"""
    return GraphError(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )


def no_such_resource(name: str) -> GraphError:
    """No such directory object: https://learn.microsoft.com/graph/resolve-auth-errors"""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{name}' does not exist or one of its queried reference-property objects "
        "are not present.",
    )


def invalid_user(name: str) -> GraphError:
    """A mailbox of nobody: reported for mail, calendar and contacts paths alike."""
    return GraphError(404, "ErrorInvalidUser", f"The requested user '{name}' is invalid.")


def no_mailbox() -> GraphError:
    """A user without a mailbox: github.com/microsoftgraph/microsoft-graph-docs-contrib, 405."""
    return GraphError(
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    )


def item_not_found() -> GraphError:
    """Exchange's answer for an id that names nothing in the mailbox."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def malformed_id() -> GraphError:
    """Exchange's answer for an id that is no id at all."""
    return GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def method_not_allowed() -> GraphError:
    """github.com/microsoftgraph/microsoft-graph-docs, issue 2188 (PATCH of the collection)."""
    return GraphError(405, "ErrorInvalidRequest", "The OData request is not supported.")


def no_such_path(segment: str) -> GraphError:
    """A segment that the type doesn't have."""
    return bad_request(f"Resource not found for the segment '{segment}'.")


def folder_exists() -> GraphError:
    """github.com/alcionai/corso, pull request 3278; status and message as Exchange gives them."""
    return GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")


def change_key_mismatch() -> GraphError:
    """github.com/microsoftgraph/msgraph-sdk-dotnet, issue 1201 (412)."""
    return GraphError(
        412,
        "ErrorIrresolvableConflict",
        "The send or update operation could not be performed because the change key passed in "
        "the request does not match the current change key for the item.",
    )


def sync_state_not_found() -> GraphError:
    """github.com/microsoftgraph/microsoft-graph-docs, issues 2162, 2350 and 2877 (410)."""
    return GraphError(410, "SyncStateNotFound", "The sync state generation is not found.")


def not_simulated(what: str) -> GraphError:
    """Something real that this simulator doesn't do; better said than guessed.

    The status and code are those of https://learn.microsoft.com/graph/delta-query-overview for
    properties that can't be tracked.
    """
    return GraphError(501, "NotImplemented", f"The simulator does not offer {what}.")
