"""Open extensions: untyped data that applications keep with a contact or an event.

https://learn.microsoft.com/graph/api/resources/opentypeextension; in answers the id of one that is
kept by Outlook begins with `Microsoft.OutlookServices.OpenTypeExtension.`
(https://learn.microsoft.com/graph/api/opentypeextension-post-opentypeextension).
"""

from __future__ import annotations

from collections.abc import Mapping

from cirahub_simulator.graph.errors import GraphError, bad_request

TYPE = "microsoft.graph.openTypeExtension"
PREFIX = "Microsoft.OutlookServices.OpenTypeExtension."

Extensions = dict[str, dict[str, object]]
"""What each extension of an object holds, by its name."""

_OURS = frozenset(("extensionName", "id"))


def read_extension(members: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """The name and the data of an extension to create. Raises GraphError."""
    name = members.get("extensionName")
    if not isinstance(name, str) or not name:
        raise bad_request(
            "extensionName is required for an open extension.", "ErrorInvalidProperty"
        )
    return name.removeprefix(PREFIX), _data(members)


def check_absent(extensions: Extensions, name: str) -> None:
    """Raises GraphError when there is an extension of this name; the code is our own."""
    if find_extension(extensions, name) is not None:
        raise GraphError(409, "ErrorExtensionExists", f"The extension '{name}' already exists.")


def find_extension(extensions: Extensions, extension_id: str) -> str | None:
    """The name of the extension of an id or a name, in any case."""
    wanted = extension_id.removeprefix(PREFIX).casefold()
    return next((name for name in extensions if name.casefold() == wanted), None)


def change_extension(
    extensions: Extensions, name: str, members: Mapping[str, object]
) -> dict[str, object]:
    """Write what is named; null removes it, the rest stays.

    https://learn.microsoft.com/graph/api/opentypeextension-update
    """
    merged = extensions[name] | _data(members)
    extensions[name] = {member: value for member, value in merged.items() if value is not None}
    return extensions[name]


def shown_extension(name: str, data: Mapping[str, object]) -> dict[str, object]:
    """An extension as Graph shows it."""
    return {
        "@odata.type": f"#{TYPE}",
        "id": f"{PREFIX}{name}",
        "extensionName": name,
        **data,
    }


def _data(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if name not in _OURS}
