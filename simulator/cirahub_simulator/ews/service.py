"""The EWS service: one request in, one answer out, all in memory.

The gate has signed the caller in; faults by rule have the service's own form here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.envelope import CONTENT_TYPE, fault, read_envelope, write_answer
from cirahub_simulator.ews.errors import SoapFaultError, invalid_request, not_served
from cirahub_simulator.ews.markup import Element, add, element
from cirahub_simulator.ews.operations import (
    configure_user,
    convert_id,
    copy_folder,
    create_attachment,
    create_folder,
    create_item,
    delete_attachment,
    delete_folder,
    delete_item,
    empty_folder,
    expand_dl,
    find_folder,
    find_item,
    find_people,
    get_attachment,
    get_events,
    get_folder,
    get_item,
    get_persona,
    get_server_time_zones,
    get_streaming_events,
    move_folder,
    resolve_names,
    subscribe,
    sync_folder_hierarchy,
    sync_folder_items,
    transfer_item,
    update_folder,
    update_item,
)
from cirahub_simulator.ews.schema import check_request, is_published
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

PATH = "/ews/exchange.asmx"
"""In lower case; IIS compares without regard to it."""

Operation: TypeAlias = Callable[[Call], list[Element]]

OPERATIONS: dict[str, Operation] = {
    "ConvertId": convert_id.answer,
    "CopyFolder": copy_folder.answer,
    "CopyItem": transfer_item.copy,
    "CreateAttachment": create_attachment.answer,
    "CreateFolder": create_folder.answer,
    "CreateItem": create_item.answer,
    "CreateUserConfiguration": configure_user.create,
    "DeleteAttachment": delete_attachment.answer,
    "DeleteFolder": delete_folder.answer,
    "DeleteItem": delete_item.answer,
    "DeleteUserConfiguration": configure_user.delete,
    "EmptyFolder": empty_folder.answer,
    "ExpandDL": expand_dl.answer,
    "FindFolder": find_folder.answer,
    "FindItem": find_item.answer,
    "GetAttachment": get_attachment.answer,
    "GetEvents": get_events.answer,
    "GetFolder": get_folder.answer,
    "GetItem": get_item.answer,
    "GetServerTimeZones": get_server_time_zones.answer,
    "GetUserConfiguration": configure_user.get,
    "MoveFolder": move_folder.answer,
    "MoveItem": transfer_item.move,
    "ResolveNames": resolve_names.answer,
    "Subscribe": subscribe.subscribe,
    "SyncFolderHierarchy": sync_folder_hierarchy.answer,
    "SyncFolderItems": sync_folder_items.answer,
    "Unsubscribe": subscribe.unsubscribe,
    "UpdateFolder": update_folder.answer,
    "UpdateItem": update_item.answer,
    "UpdateUserConfiguration": configure_user.update,
}
"""Those that answer messages, one for each thing that they were asked for."""

WHOLE: dict[str, Callable[[Call], Element]] = {
    "FindPeople": find_people.answer,
    "GetPersona": get_persona.answer,
}
"""Those whose answer is one message by itself."""

STREAMING: dict[str, Callable[[Call], get_streaming_events.Streaming]] = {
    "GetStreamingEvents": get_streaming_events.answer,
}
"""Those whose answer goes on."""

NAMES = frozenset((*OPERATIONS, *WHOLE, *STREAMING))


class EwsService:
    """Answers EWS requests over a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handle(self, request: Request) -> Response:
        """Answer a request; whatever is wrong with it becomes an answer as well."""
        if request.path.lower() != PATH:
            return Response(404, {"Content-Type": "text/plain"}, b"")
        if request.method != "POST":
            return Response(405, {"Allow": "POST", "Content-Type": "text/plain"}, b"")
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media not in ("text/xml", "application/soap+xml"):
            return Response(415, {"Content-Type": "text/plain"}, b"")
        try:
            return self._serve(request)
        except SoapFaultError as error:
            return fault(error)

    def _serve(self, request: Request) -> Response:
        envelope = read_envelope(request.body)
        name = envelope.operation
        if name not in NAMES:
            raise not_served(name) if is_published(name) else invalid_request()
        if request.client is None:
            raise SoapFaultError("ErrorAccessDenied", "Nobody is signed in.", status=401)
        check_request(envelope.body)
        call = Call(self.world, envelope, request.client)
        head = {"Content-Type": CONTENT_TYPE}
        if name in STREAMING:
            streaming = STREAMING[name](call)
            return Response(200, head, streaming.first, rest=streaming.rest)
        if name in WHOLE:
            return Response(200, head, write_answer(WHOLE[name](call)))
        root = element(f"m:{name}Response")
        add(root, "m:ResponseMessages").extend(OPERATIONS[name](call))
        return Response(200, head, write_answer(root))
