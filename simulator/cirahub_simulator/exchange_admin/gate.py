"""Who may pass: an application with the role Exchange.ManageAsApp and a role of the directory.

https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2. Which roles of the
directory are enough is from its table; custom role groups of Exchange are not simulated.
"""

from __future__ import annotations

import uuid

import msgspec

from cirahub_simulator.entra.token import OUTLOOK, InvalidTokenError, TokenAuthority
from cirahub_simulator.exchange_admin.errors import headers
from cirahub_simulator.exchange_admin.service import note_cmdlet
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

MANAGE_AS_APP = "Exchange.ManageAsApp"
ENOUGH = frozenset(
    ("Exchange Recipient Administrator", "Exchange Administrator", "Global Administrator")
)


class AdminGate:
    """Of the cloud's one address for administration."""

    def __init__(self, world: World, tokens: TokenAuthority) -> None:
        self._world = world
        self._tokens = tokens

    def admit(self, request: Request) -> Response | None:
        """None: go on. Otherwise the refusal."""
        note_cmdlet(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self._unauthorized("")
        try:
            principal = self._tokens.verify(token.strip(), OUTLOOK)
        except InvalidTokenError as error:
            return self._unauthorized(
                f', error="invalid_token", error_description="{error.reason}"'
            )
        request.client = principal
        application = self._world.directory.application(principal.client_id)
        held = {} if application is None else application.directory_roles
        roles = held.get(principal.tenant_id, set())
        if MANAGE_AS_APP not in principal.roles or ENOUGH.isdisjoint(roles):
            return self._forbidden(request, principal.client_id)
        return None

    @staticmethod
    def _unauthorized(why: str) -> Response:
        challenge = f'Bearer client_id="00000002-0000-0ff1-ce00-000000000000"{why}'
        return Response(401, {"request-id": str(uuid.uuid4())}, challenges=(challenge,))

    def _forbidden(self, request: Request, client_id: str) -> Response:
        """The text is the module's (app-only-auth-powershell-v2); the status is a switch."""
        message = (
            f"The role assigned to application {client_id} isn't supported in this scenario. "
            "Please check online documentation for assigning correct Directory Roles to Azure AD "
            "Application for EXO App-Only Authentication."
        )
        body = {"error": {"code": "UnAuthorized", "message": message}}
        status = int(self._world.switches.admin_role_missing)
        return Response(status, headers(request), msgspec.json.encode(body))
