"""Who may pass to the Graph service: a version it has and a token it accepts."""

from __future__ import annotations

from cirahub_simulator.clouds import CLOUDS, Cloud
from cirahub_simulator.entra.token import InvalidTokenError, TokenAuthority
from cirahub_simulator.odata import graph_error
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

VERSION = "/v1.0"


class GraphGate:
    """Strips the version from the path and puts the verified caller into the request.

    https://learn.microsoft.com/graph/resolve-auth-errors: 401 for a missing or invalid token; what
    a valid token may do is the service's to say (403).
    """

    def __init__(
        self, world: World, tokens: TokenAuthority, cloud: Cloud = CLOUDS["Global"]
    ) -> None:
        self._world = world
        self._tokens = tokens
        self._cloud = cloud

    def admit(self, request: Request) -> Response | None:
        """None: go on. Otherwise the refusal."""
        path = request.path
        if not path.startswith(VERSION + "/"):
            version = path.lstrip("/").partition("/")[0]
            return self._refuse(request, 400, "BadRequest", f"Invalid version: {version}")
        request.path = path[len(VERSION) :]
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self._unauthorized(request, "Access token is empty.")
        try:
            request.client = self._tokens.verify(token, self._cloud.graph)
        except InvalidTokenError as error:
            if error.reason == "audience":
                return self._unauthorized(
                    request, "Access token validation failure. Invalid audience."
                )
            return self._unauthorized(request, str(error))
        return None

    def _unauthorized(self, request: Request, message: str) -> Response:
        response = self._refuse(request, 401, "InvalidAuthenticationToken", message)
        response.headers["WWW-Authenticate"] = (
            'Bearer realm="", '
            'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            'client_id="00000003-0000-0000-c000-000000000000"'
        )
        return response

    def _refuse(self, request: Request, status: int, code: str, message: str) -> Response:
        return graph_error(request, self._world.clock.now(), status, code, message)
