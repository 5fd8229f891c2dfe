"""Delta queries on a mailbox: contacts of a folder, and contact folders.

https://learn.microsoft.com/graph/api/contact-delta,
https://learn.microsoft.com/graph/api/contactfolder-delta; removals and the annotations of each
entry are those of https://learn.microsoft.com/graph/delta-query-messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from cirahub_simulator.graph import contact_requests, folder_requests
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.changes import Change, ChangeLog
from cirahub_simulator.graph.contact import PROPERTIES as CONTACT_PROPERTIES
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.contact_requests import find_folder
from cirahub_simulator.graph.delta import INCREMENTAL, Token, read_page, read_token, write_token
from cirahub_simulator.graph.errors import GraphError, bad_request
from cirahub_simulator.graph.folder import PROPERTIES as FOLDER_PROPERTIES
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.query import MAX_TOP, Query
from cirahub_simulator.wire import Response

PAGE_SIZE = 10

Item = TypeVar("Item")


def contacts_delta(call: Call, mailbox: Mailbox, world_id: str) -> Response:
    """The changes of a folder's contacts."""
    query = call.query(contact_requests.TYPE, CONTACT_PROPERTIES, MAX_TOP)
    folder = find_folder(call, mailbox)
    immutable = call.preferences.immutable_ids
    loses = call.switches.delta_loses_returned_items and immutable

    def shown(change: Change[Contact], token: Token) -> bool:
        contact = change.item
        news = change.sequence > token.started
        if change.removed:
            back = immutable and contact.immutable_id in folder.contacts
            return news and (not back or loses)
        if contact.folder is not folder or contact.sequence != change.sequence:
            return False
        return not (loses and change.returned and news)

    def encode(change: Change[Contact], token: Token) -> bytes:
        contact = change.item
        if change.removed:
            item_id = contact.immutable_id if immutable else change.id
            return removed(contact_requests.TYPE, item_id)
        shape = Query(select=token.select, extended_ids=frozenset(token.extended_ids))
        annotation = f'"@odata.type":"#{contact_requests.TYPE}",'
        return contact_requests.encode(call, contact, shape, annotation)

    return _answer(
        call,
        mailbox,
        query,
        world_id=world_id,
        scope=f"contacts {folder.id}",
        log=folder.changes,
        shown=shown,
        encode=encode,
        resource="Contacts",
        context="Collection(contact)",
    )


def folders_delta(call: Call, mailbox: Mailbox, world_id: str) -> Response:
    """The changes of the mailbox's folders at every depth, or of one folder's children."""
    query = call.query(folder_requests.TYPE, FOLDER_PROPERTIES, MAX_TOP)
    parent = find_folder(call, mailbox) if call.route.folders else None

    def shown(change: Change[Folder], token: Token) -> bool:
        folder = change.item
        where = change.parent_id if change.removed else folder.parent_id
        if parent is not None and where != parent.id:
            return False
        if change.removed:
            return change.sequence > token.started
        if folder is mailbox.default_folder and not call.switches.default_folder_listed:
            return False
        return folder.sequence == change.sequence and mailbox.has_folder(folder)

    def encode(change: Change[Folder], token: Token) -> bytes:
        if change.removed:
            return removed(folder_requests.TYPE, change.id)
        values = folder_requests.values_of(change.item, Query(select=token.select))
        return msgspec.json.encode({"@odata.type": f"#{folder_requests.TYPE}", **values})

    return _answer(
        call,
        mailbox,
        query,
        world_id=world_id,
        scope=f"folders {parent.id if parent is not None else ''}",
        log=mailbox.folder_changes,
        shown=shown,
        encode=encode,
        resource="ContactFolders",
        context="Collection(contactFolder)",
    )


def _answer(
    call: Call,
    mailbox: Mailbox,
    query: Query,
    *,
    world_id: str,
    scope: str,
    log: ChangeLog[Item],
    shown: Callable[[Change[Item], Token], bool],
    encode: Callable[[Change[Item], Token], bytes],
    resource: str,
    context: str,
) -> Response:
    now = call.world.clock.time()
    given = query.skip_token or query.delta_token or None
    if given is None:
        token = _first_token(
            call, mailbox, query, resource=resource, scope=scope, world_id=world_id
        )
    else:
        token = read_token(
            given,
            scope=scope,
            world=world_id,
            generation=mailbox.token_generation,
            now=now,
            switches=call.switches,
        )
    wanted = call.preferences.max_page_size
    reading = read_page(
        log,
        token,
        size=min(wanted, MAX_TOP) if wanted is not None else PAGE_SIZE,
        shown=shown,
        now=now,
        switches=call.switches,
    )
    following = msgspec.structs.replace(
        token,
        issued=now,
        position=reading.position,
        started=INCREMENTAL if reading.done else token.started,
        page=0 if reading.done else token.page + 1,
        last=0 if reading.done else reading.last,
    )
    text = write_token(following)
    return call.page(
        context,
        [encode(change, token) for change in reading.changes],
        next_link=None if reading.done else call.link(f"$skiptoken={text}"),
        delta_link=call.link(f"$deltatoken={text}") if reading.done else None,
        applied=applied(wanted),
    )


def applied(wanted: int | None) -> Iterable[str]:
    """What `Preference-Applied` says of a delta answer."""
    yield "odata.track-changes"
    if wanted is not None:
        yield f"odata.maxpagesize={min(wanted, MAX_TOP)}"


def _first_token(
    call: Call, mailbox: Mailbox, query: Query, *, resource: str, scope: str, world_id: str
) -> Token:
    """The beginning of a first round. Raises GraphError for options that delta doesn't take."""
    refused = [name for name in ("filter", "orderby", "search", "skip") if name in query.given]
    if query.expand and (call.switches.delta_expand == "refused" or resource != "Contacts"):
        refused.append("expand")
    if refused:
        raise unsupported(refused, resource)
    honoured = call.switches.delta_expand == "honoured"
    return Token(
        scope=scope,
        world=world_id,
        generation=mailbox.token_generation,
        issued=call.world.clock.time(),
        position=0,
        started=mailbox.sequence,
        select=query.select,
        extended_ids=tuple(sorted(query.extended_ids)) if honoured else (),
    )


def unsupported(names: list[str], resource: str) -> GraphError:
    """Query options that delta doesn't take."""
    listed = ", ".join(f"${name}" for name in names)
    return bad_request(
        "The following parameters are not supported with change tracking over the "
        f"'{resource}' resource: '{listed}'.",
        "ErrorInvalidUrlQuery",
    )


def removed(type_name: str, item_id: str) -> bytes:
    """What delta tells of an object that is gone."""
    return msgspec.json.encode(
        {"@odata.type": f"#{type_name}", "id": item_id, "@removed": {"reason": "deleted"}}
    )
