"""The EWS service: one request in, one answer out, all in memory.

The gate has signed the caller in; faults by rule have the service's own form here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.envelope import CONTENT_TYPE, fault, read_envelope, write_answer
from cirahub_simulator.ews.errors import SoapFaultError, invalid_request
from cirahub_simulator.ews.markup import Element, add, element
from cirahub_simulator.ews.operations import (
    convert_id,
    create_folder,
    create_item,
    delete_folder,
    delete_item,
    empty_folder,
    find_folder,
    find_item,
    get_folder,
    get_item,
    get_server_time_zones,
    move_folder,
    resolve_names,
    sync_folder_hierarchy,
    sync_folder_items,
    transfer_item,
    update_folder,
    update_item,
)
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

PATH = "/ews/exchange.asmx"
"""In lower case; IIS compares without regard to it."""

Operation: TypeAlias = Callable[[Call], list[Element]]

OPERATIONS: dict[str, Operation] = {
    "ConvertId": convert_id.answer,
    "CopyItem": transfer_item.copy,
    "CreateFolder": create_folder.answer,
    "CreateItem": create_item.answer,
    "DeleteFolder": delete_folder.answer,
    "DeleteItem": delete_item.answer,
    "EmptyFolder": empty_folder.answer,
    "FindFolder": find_folder.answer,
    "FindItem": find_item.answer,
    "GetFolder": get_folder.answer,
    "GetItem": get_item.answer,
    "GetServerTimeZones": get_server_time_zones.answer,
    "MoveFolder": move_folder.answer,
    "MoveItem": transfer_item.move,
    "ResolveNames": resolve_names.answer,
    "SyncFolderHierarchy": sync_folder_hierarchy.answer,
    "SyncFolderItems": sync_folder_items.answer,
    "UpdateFolder": update_folder.answer,
    "UpdateItem": update_item.answer,
}


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
        operation = OPERATIONS.get(envelope.operation)
        if operation is None:
            raise invalid_request(f"The simulator has no operation {envelope.operation}.")
        if request.client is None:
            raise SoapFaultError("ErrorAccessDenied", "Nobody is signed in.", status=401)
        messages = operation(Call(self.world, envelope, request.client))
        root = element(f"m:{envelope.operation}Response")
        add(root, "m:ResponseMessages").extend(messages)
        return Response(200, {"Content-Type": CONTENT_TYPE}, write_answer(root))
