"""A cloud of two tenants in memory, and a client whose every exchange is held to the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.graph import Contract, Exchange

from cirahub_simulator.directory import Principal, Tenant, User
from cirahub_simulator.graph import GraphService
from cirahub_simulator.switches import Switches
from cirahub_simulator.wire import Request
from cirahub_simulator.world import World

CONTOSO = "11111111-0000-4000-8000-000000000001"
FABRIKAM = "22222222-0000-4000-8000-000000000002"
ADA = "aaaaaaaa-0000-4000-8000-000000000001"
BOB = "bbbbbbbb-0000-4000-8000-000000000002"
GUEST = "cccccccc-0000-4000-8000-000000000003"
EVE = "eeeeeeee-0000-4000-8000-000000000004"


@dataclass(frozen=True)
class Answer:
    """An answer, decoded."""

    status: int
    headers: Mapping[str, str]
    json: Any = None
    content: bytes = b""

    @property
    def code(self) -> str:
        """`error.code`."""
        return str(self.json["error"]["code"])

    @property
    def items(self) -> list[dict[str, Any]]:
        """`value` of a collection."""
        return list(self.json["value"])


@dataclass
class Client:
    """Sends requests as an application of one tenant would."""

    service: GraphService
    contract: Contract
    tenant_id: str = CONTOSO
    roles: frozenset[str] = frozenset(
        ("Calendars.ReadWrite", "Contacts.ReadWrite", "User.Read.All")
    )
    headers: dict[str, str] = field(default_factory=dict)
    judged: bool = True
    """Whether requests are held to the contract as well as answers."""

    def send(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request to a path with a query, or to a link that an answer gave."""
        url = url.removeprefix("https://graph.microsoft.com/v1.0")
        path, _, query = url.partition("?")
        content = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        sent = {**self.headers, **(headers or {})}
        if content:
            sent.setdefault("content-type", "application/json")
        request = Request(
            method=method,
            path=path,
            query=query,
            headers=sent,
            body=content,
            client=Principal(self.tenant_id, "app", self.roles),
        )
        response = self.service.handle(request)
        self.contract.check(
            Exchange(
                method=method,
                path=path,
                query=query,
                status=response.status,
                request_body=content.decode("utf-8", "replace") if self.judged else "",
                headers=response.headers,
                body=response.body.decode("utf-8", "replace"),
            )
        )
        picture = response.headers.get("Content-Type", "").startswith("image/")
        decoded = json.loads(response.body) if response.body and not picture else None
        return Answer(response.status, response.headers, decoded, response.body)

    def get(self, url: str, **headers: str) -> Answer:
        """GET; headers by keyword, underscores for hyphens."""
        return self.send("GET", url, headers=_named(headers))

    def post(self, url: str, body: object = None, **headers: str) -> Answer:
        """POST."""
        return self.send("POST", url, body, headers=_named(headers))

    def patch(self, url: str, body: object, **headers: str) -> Answer:
        """PATCH."""
        return self.send("PATCH", url, body, headers=_named(headers))

    def delete(self, url: str, **headers: str) -> Answer:
        """DELETE."""
        return self.send("DELETE", url, headers=_named(headers))

    def round(self, url: str, **headers: str) -> tuple[list[dict[str, Any]], str]:
        """A whole round of a delta query: everything it told, and the deltaLink."""
        told: list[dict[str, Any]] = []
        while True:
            answer = self.get(url, **headers)
            assert answer.status == 200, answer.json
            told += answer.items
            if "@odata.deltaLink" in answer.json:
                return told, answer.json["@odata.deltaLink"]
            url = answer.json["@odata.nextLink"]


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def make_world(**switches: Any) -> World:
    """Two tenants: Ada, Bob and a guest without a mailbox in Contoso; Eve in Fabrikam."""
    world = World(switches=Switches(**switches))
    world.directory.add_tenant(Tenant(CONTOSO, "contoso.example", "Contoso"))
    world.directory.add_tenant(Tenant(FABRIKAM, "fabrikam.example", "Fabrikam"))
    for user_id, tenant_id, name in (
        (ADA, CONTOSO, "ada@contoso.example"),
        (BOB, CONTOSO, "bob@contoso.example"),
        (GUEST, CONTOSO, "guest@contoso.example"),
        (EVE, FABRIKAM, "eve@fabrikam.example"),
    ):
        given = name.partition("@")[0].title()
        world.directory.add_user(
            User(
                id=user_id,
                tenant_id=tenant_id,
                user_principal_name=name,
                display_name=f"{given} Example",
                given_name=given,
                surname="Example",
                mail=name,
                has_mailbox=user_id != GUEST,
                user_type="Guest" if user_id == GUEST else "Member",
            )
        )
    return world
