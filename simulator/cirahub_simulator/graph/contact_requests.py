"""Requests for contacts: list, count, get, create, update, delete, delete for good."""

from __future__ import annotations

import msgspec

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import check_content, read_contact, read_contact_changes
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.contact import PROPERTIES, Contact
from cirahub_simulator.graph.etag import check_if_match
from cirahub_simulator.graph.extended_property import expanded
from cirahub_simulator.graph.filter import Kind, Schema
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.listing import matching, page_of
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.own_data import EXPANDABLE, expanded_own_data
from cirahub_simulator.graph.query import MAX_TOP, NOTHING, Query
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.contact"

_LISTS = frozenset(("categories", "imAddresses", "homePhones", "businessPhones", "children"))
_ADDRESSES = frozenset(("homeAddress", "businessAddress", "otherAddress"))
_MOMENTS = frozenset(("createdDateTime", "lastModifiedDateTime", "birthday"))


def _kind(name: str) -> Kind:
    if name in _LISTS:
        return "strings"
    if name in _ADDRESSES:
        return "complex"
    if name in _MOMENTS:
        return "moment"
    return "emails" if name == "emailAddresses" else "string"


SCHEMA = Schema(
    TYPE,
    {name: _kind(name) for name in PROPERTIES} | {"singleValueExtendedProperties": "extended"},
)


def find_folder(call: Call, mailbox: Mailbox) -> Folder:
    """The folder that the path names; the default one if it names none. Raises GraphError."""
    folders = call.route.folders
    if not folders:
        return mailbox.default_folder
    folder = mailbox.folder(folders[0])
    for name in folders[1:]:
        parent, folder = folder, mailbox.folder(name)
        if folder.parent is not parent:
            raise errors.item_not_found()
    return folder


def find_contact(call: Call, mailbox: Mailbox) -> Contact:
    """The contact that the path names. Raises GraphError."""
    folder = find_folder(call, mailbox) if call.route.in_folder else None
    return mailbox.contact(call.route.contact, folder)


def contact_id(call: Call, contact: Contact) -> str:
    """The id of the kind that the client prefers."""
    return contact.immutable_id if call.preferences.immutable_ids else contact.id


def filterable(contact: Contact) -> dict[str, object]:
    """A contact's properties with its extended properties, for filters."""
    values = contact.to_dict(contact.id)
    values["singleValueExtendedProperties"] = [
        {"id": name, "value": value} for name, value in contact.extended.items()
    ]
    return values


def encode(call: Call, contact: Contact, query: Query, annotations: str = "") -> bytes:
    """The JSON of a contact as a query asks for it; `annotations` are members that go first."""
    item_id = contact_id(call, contact)
    extended = expanded(contact.extended, query.extended_ids) if query.extended_ids else []
    names = query.select
    if not names:
        body = contact.encode(item_id, annotations)
    else:
        values = contact.to_dict(item_id)
        chosen = {"@odata.etag": contact.etag, "id": item_id}
        body = msgspec.json.encode(chosen | {name: values[name] for name in names})
        body = b"{" + annotations.encode() + body[1:]
    if extended:
        member = msgspec.json.encode({"singleValueExtendedProperties": extended})
        body = body[:-1] + b"," + member[1:]
    if query.expand and (more := expanded_own_data(query, contact.multiple, contact.extensions)):
        body = body[:-1] + b"," + msgspec.json.encode(more)[1:]
    return body


def _query(call: Call) -> Query:
    if not call.request.query:
        return NOTHING
    query = call.query(TYPE, PROPERTIES, MAX_TOP)
    for name in query.expand:
        if name not in EXPANDABLE:
            raise errors.not_simulated(f"$expand={name} of contacts")
    return query


def _scope(call: Call, mailbox: Mailbox) -> list[Contact]:
    if not call.route.folders and call.switches.contacts_list == "whole-mailbox":
        return [c for folder in mailbox.folders() for c in folder.contacts.values()]
    return list(find_folder(call, mailbox).contacts.values())


def list_contacts(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/user-list-contacts"""
    query = _query(call)
    found = matching(_scope(call, mailbox), query, SCHEMA, filterable)
    page = page_of(call, query, found)
    return call.page(
        _collection(call, mailbox),
        [encode(call, contact, query) for contact in page.items],
        count=page.total if query.count else None,
        next_link=page.next_link,
    )


def count_contacts(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/query-parameters#count"""
    return call.number(len(matching(_scope(call, mailbox), _query(call), SCHEMA, filterable)))


def get_contact(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/contact-get"""
    query = _query(call)
    contact = find_contact(call, mailbox)
    return _entity(call, 200, mailbox, contact, query)


def create_contact(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/user-post-contacts"""
    folder = find_folder(call, mailbox)
    request = call.request
    check_content(request.body, request.headers.get("content-type", ""))
    contact = mailbox.create_contact(folder, read_contact(request.body, call.switches))
    return _entity(call, 201, mailbox, contact, NOTHING)


def update_contact(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/contact-update"""
    contact = find_contact(call, mailbox)
    request = call.request
    check_content(request.body, request.headers.get("content-type", ""))
    if call.switches.if_match_on_patch == "honoured":
        check_if_match(call, contact.etag)
    body = read_contact_changes(request.body, call.switches)
    return _entity(call, 200, mailbox, mailbox.update_contact(contact, body), NOTHING)


def delete_contact(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/contact-delete; the metadata declares If-Match."""
    contact = find_contact(call, mailbox)
    check_if_match(call, contact.etag)
    mailbox.delete_contact(contact)
    return call.nothing()


def purge_contact(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/contact-permanentdelete"""
    mailbox.purge_contact(find_contact(call, mailbox))
    return call.nothing()


def _collection(call: Call, mailbox: Mailbox) -> str:
    folders = call.route.folders
    if not folders:
        return f"users('{mailbox.user_id}')/contacts"
    return f"users('{mailbox.user_id}')/contactFolders('{folders[-1]}')/contacts"


def _entity(call: Call, status: int, mailbox: Mailbox, contact: Contact, query: Query) -> Response:
    context = f'"@odata.context":"{call.context(_collection(call, mailbox))}/$entity",'
    return call.answer(status, encode(call, contact, query, context))
