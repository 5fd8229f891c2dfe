"""Requests for contact folders: list, count, get, create, update, delete."""

from __future__ import annotations

import msgspec

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import check_content, read_folder
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.contact_requests import find_folder
from cirahub_simulator.graph.extended_property import expanded
from cirahub_simulator.graph.filter import Schema
from cirahub_simulator.graph.folder import PROPERTIES, Folder
from cirahub_simulator.graph.listing import matching, page_of
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.query import MAX_TOP, Query
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.contactFolder"

SCHEMA = Schema(
    TYPE,
    {
        "id": "string",
        "parentFolderId": "string",
        "displayName": "string",
        "singleValueExtendedProperties": "extended",
    },
)


def values_of(folder: Folder, query: Query) -> dict[str, object]:
    """A folder's members as a query asks for them."""
    values = folder.to_dict()
    if query.select:
        values = {"id": folder.id} | {name: values[name] for name in query.select}
    if query.extended_ids and (extended := expanded(folder.extended, query.extended_ids)):
        values["singleValueExtendedProperties"] = extended
    return values


def list_folders(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/user-list-contactfolders"""
    query = _query(call)
    page = page_of(call, query, matching(_scope(call, mailbox), query, SCHEMA, _filterable))
    return call.page(
        _collection(call, mailbox),
        [msgspec.json.encode(values_of(folder, query)) for folder in page.items],
        count=page.total if query.count else None,
        next_link=page.next_link,
    )


def count_folders(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/query-parameters#count"""
    return call.number(len(matching(_scope(call, mailbox), _query(call), SCHEMA, _filterable)))


def get_folder(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/contactfolder-get"""
    query = _query(call)
    return _entity(call, 200, mailbox, find_folder(call, mailbox), query)


def create_folder(call: Call, mailbox: Mailbox) -> Response:
    """Below the default folder, or below the folder of the path.

    https://learn.microsoft.com/graph/api/user-post-contactfolders,
    https://learn.microsoft.com/graph/api/contactfolder-post-childfolders
    """
    parent = find_folder(call, mailbox)
    check_content(call.request.body, call.request.headers.get("content-type", ""))
    body = read_folder(call.request.body)
    if not body.display_name:
        raise errors.bad_request(
            "The property 'DisplayName' is required when creating the entity.",
            "ErrorInvalidProperty",
        )
    folder = mailbox.create_folder(parent, body.display_name, body.extended)
    return _entity(call, 201, mailbox, folder, Query())


def update_folder(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/contactfolder-update"""
    folder = find_folder(call, mailbox)
    check_content(call.request.body, call.request.headers.get("content-type", ""))
    body = read_folder(call.request.body)
    mailbox.update_folder(folder, body.display_name, body.extended)
    return _entity(call, 200, mailbox, folder, Query())


def delete_folder(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/contactfolder-delete

    The metadata declares If-Match here too, but folders have no etag to compare with.
    """
    mailbox.delete_folder(find_folder(call, mailbox))
    return call.nothing()


def _query(call: Call) -> Query:
    query = call.query(TYPE, PROPERTIES, MAX_TOP)
    for name in query.expand:
        if name != "singleValueExtendedProperties":
            raise errors.not_simulated(f"$expand={name} of contact folders")
    return query


def _scope(call: Call, mailbox: Mailbox) -> list[Folder]:
    """A folder's children. The mailbox's are the default folder's, perhaps with itself."""
    folder = find_folder(call, mailbox)
    if not call.route.folders and call.switches.default_folder_listed:
        return [folder, *folder.children]
    return list(folder.children)


def _filterable(folder: Folder) -> dict[str, object]:
    values = folder.to_dict()
    values["singleValueExtendedProperties"] = [
        {"id": name, "value": value} for name, value in folder.extended.items()
    ]
    return values


def _collection(call: Call, mailbox: Mailbox) -> str:
    folders = call.route.folders
    if not folders:
        return f"users('{mailbox.user_id}')/contactFolders"
    return f"users('{mailbox.user_id}')/contactFolders('{folders[-1]}')/childFolders"


def _entity(call: Call, status: int, mailbox: Mailbox, folder: Folder, query: Query) -> Response:
    context = f"users('{mailbox.user_id}')/contactFolders/$entity"
    return call.entity(status, context, values_of(folder, query))
