"""The service: a cmdlet in, what it answers out, all in memory.

`POST /adminapi/beta/{tenant}/InvokeCommand` with `{"CmdletInput": {"CmdletName", "Parameters"}}`;
what does not fit into a page is fetched by posting the same to `@odata.nextLink`; several at once
go to `…/$batch`. CIPP sends ten in a batch; the most that are taken is an assumption.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from cirahub_simulator.exchange_admin import errors
from cirahub_simulator.exchange_admin.cmdlets import CMDLETS, Record
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

PATH = "/adminapi/"
MOST_IN_BATCH = 20
LARGEST_PAGE = 1000

_ROUTE = re.compile(r"/adminapi/(?:beta|v1\.0)/([^/]+)/(InvokeCommand|\$batch)", re.IGNORECASE)
_PAGE_SIZE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)", re.IGNORECASE)


class _CmdletInput(msgspec.Struct, rename="pascal"):
    cmdlet_name: str
    parameters: dict[str, object] = {}


class _Body(msgspec.Struct, rename="pascal"):
    cmdlet_input: _CmdletInput


class _Part(msgspec.Struct):
    id: str
    method: str
    url: str
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"")


class _Batch(msgspec.Struct):
    requests: list[_Part]


class _Answer(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str]
    body: msgspec.Raw


class _Answers(msgspec.Struct):
    responses: list[_Answer]


class ExchangeAdminService:
    """Answers over a world. The gate has let the caller in."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handle(self, request: Request) -> Response:
        """Answer a request; whatever is wrong with it becomes an answer as well."""
        try:
            return self._serve(request)
        except errors.CmdletError as error:
            named = self.world.switches.admin_exception == "named"
            return errors.error_answer(request, error, named=named)

    def run(self, tenant: str, name: str, given: Mapping[str, object]) -> list[Record]:
        """A cmdlet as an administrator runs it. Raises CmdletError."""
        cmdlet = {known.lower(): one for known, one in CMDLETS.items()}.get(name.lower())
        if cmdlet is None:
            raise errors.no_cmdlet(name)
        return cmdlet(self.world, tenant, given)

    def _serve(self, request: Request) -> Response:
        route = _ROUTE.fullmatch(unquote(request.path))
        if route is None:
            raise errors.CmdletError(404, "NotFound", "", "Resource not found.")
        if request.method != "POST":
            raise errors.CmdletError(405, "MethodNotAllowed", "", "Only POST is supported.")
        if route[2].lower() == "$batch":
            return self._batch(request)
        tenant = self.world.directory.tenant(route[1])
        if tenant is None or request.client is None or request.client.tenant_id != tenant.id:
            raise errors.CmdletError(403, "Forbidden", "", "The token is of another tenant.")
        try:
            body = msgspec.json.decode(request.body, type=_Body)
        except msgspec.DecodeError as error:
            raise errors.bad_request(f"The request body is not valid: {error}") from error
        request.operation = body.cmdlet_input.cmdlet_name
        found = self.run(tenant.id, body.cmdlet_input.cmdlet_name, body.cmdlet_input.parameters)
        return self._page(request, found)

    def _page(self, request: Request, found: list[Record]) -> Response:
        asked = _PAGE_SIZE.search(request.headers.get("prefer", ""))
        size = min(int(asked[1]) if asked else LARGEST_PAGE, LARGEST_PAGE)
        token = parse_qs(request.query).get("$skiptoken", ["0"])[0]
        start = int(token) if token.isdecimal() else 0
        body: dict[str, object] = {
            "@odata.context": f"{request.origin}/adminapi/beta/$metadata#Collection(Edm.Untyped)",
            "@adminapi.warnings": [],
            "value": found[start : start + size],
        }
        if start + size < len(found):
            link = f"{request.origin}{request.path}?$skiptoken={start + size}"
            body["@odata.nextLink"] = link
        return Response(200, errors.headers(request), msgspec.json.encode(body))

    def _batch(self, request: Request) -> Response:
        if request.batch is not None:
            raise errors.bad_request("A batch can't contain a batch.")
        try:
            parts = msgspec.json.decode(request.body, type=_Batch).requests
        except msgspec.DecodeError as error:
            raise errors.bad_request(f"The request body is not valid: {error}") from error
        if not parts or len(parts) > MOST_IN_BATCH:
            raise errors.bad_request(f"A batch has 1 to {MOST_IN_BATCH} requests.")
        outer = errors.headers(request)
        answers = [self._part(request, part, outer["request-id"]) for part in parts]
        return Response(200, outer, msgspec.json.encode(_Answers(answers)))

    def _part(self, request: Request, part: _Part, batch: str) -> _Answer:
        url = urlsplit(part.url)
        inner = Request(
            method=part.method.upper(),
            path=url.path,
            query=url.query,
            headers={name.lower(): value for name, value in part.headers.items()},
            body=bytes(part.body),
            origin=request.origin,
            client=request.client,
            service=request.service,
            batch=batch,
        )
        note_cmdlet(inner)
        fault = self.world.faults.decide(inner)
        if fault is None or fault.after_effect:
            response = self.handle(inner)
        if fault is not None:
            response = fault.response(inner, self.world.clock.now())
        self.world.journal.note(inner, response, fault=fault.rule.id if fault else None)
        return _Answer(part.id, response.status, response.headers, msgspec.Raw(response.body))


def note_cmdlet(request: Request) -> None:
    """Put the cmdlet's name into the request, for rules and the log."""
    try:
        request.operation = msgspec.json.decode(request.body, type=_Body).cmdlet_input.cmdlet_name
    except msgspec.DecodeError:
        request.operation = ""  # a batch, or nothing that can be read
