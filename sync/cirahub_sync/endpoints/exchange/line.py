"""One connection to an Exchange Server, used by one thread at a time.

exchangelib signs in (NTLM signs a connection in, not a request, so each has a session of its own)
and keeps nothing else: its services send a request again when the server is busy, in other schema
versions, and at once after ErrorExceededConnectionCount whatever the retry policy says, and log it
whole when something unexpected happens (`services/common.py`, `util.py` of 5.6). Its cache of
protocols would keep passwords for as long as the process lives.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress

import msgspec
import requests
from exchangelib.credentials import Credentials
from exchangelib.transport import NTLM, get_auth_instance
from requests.auth import HTTPBasicAuth
from urllib3.connection import HTTPSConnection

from cirahub_sync.configuration import Auth, PasswordAuth, SignInScheme
from cirahub_sync.identity.host_proof import Proof
from cirahub_sync.network import Route


class Raw(msgspec.Struct, frozen=True):
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes


class Departure:
    """Of one request: whether it may leave, and whether it has. Asked for by the thread that sends
    it, while the loop may give it up at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given_up = False
        self.left = False
        """Whether bytes of it may have gone out."""

    def allow(self) -> None:
        """Nothing speaks against it. It stays if it has been given up meanwhile."""
        with self._lock:
            if self._given_up:
                raise GivenUpError
            self.left = True

    def give_up(self) -> bool:
        """Whether bytes of it may have gone out; if not, none will."""
        with self._lock:
            self._given_up = True
            return self.left


class GivenUpError(Exception):
    """Nobody waits for the answer any more."""


class Gatekeeper:
    """Asked by the thread just before a request leaves. Raises what `endpoints.base.Fence` does."""

    def check(self) -> None:
        """A read may leave at any time."""


class Line:
    """Made, used and closed by any thread, but by one at a time; `cut` by any."""

    def __init__(self, route: Route, url: str, auth: Auth, proof: Proof) -> None:
        self.proof = proof
        self._url = url
        self._departure = Departure()
        self._gatekeeper = Gatekeeper()
        self._connection: HTTPSConnection | None = None
        self._http = requests.Session()
        # Neither `.netrc` nor `REQUESTS_CA_BUNDLE` nor a proxy that the route does not know.
        self._http.trust_env = False
        self._http.proxies = {"https": route.proxy} if route.proxy else {}
        self._http.adapters.clear()
        self._http.mount("https://", route.adapter(retries=0, watch=self))
        self._http.auth = _signing(auth, proof)

    def leaving(self, connection: HTTPSConnection) -> None:
        """Implements `network.Watch`. Each step of NTLM passes by here."""
        self._connection = connection
        self._gatekeeper.check()
        self._departure.allow()

    def post(
        self,
        body: bytes,
        headers: Mapping[str, str],
        departure: Departure,
        gatekeeper: Gatekeeper,
        timeouts: tuple[float, float],
    ) -> Raw:
        """Blocks. `timeouts` in seconds: to connect, and between bytes of the answer. Raises
        requests' errors, which may hold the request, and what the gatekeeper raises."""
        self._departure, self._gatekeeper = departure, gatekeeper
        response = self._http.post(
            self._url, data=body, headers=headers, timeout=timeouts, allow_redirects=False
        )
        return Raw(
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            response.content,
        )

    def cut(self) -> None:
        """End whatever waits on the connection."""
        sock = None if self._connection is None else self._connection.sock
        if sock is not None:
            with suppress(OSError):  # It is closed already.
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._http.close()


class _BearerAuth(requests.auth.AuthBase):
    """RFC 6750 2.1. exchangelib's own would fetch the token itself, with a client secret alone."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._proof.text}"
        return request


def _signing(auth: Auth, proof: Proof) -> requests.auth.AuthBase:
    if not isinstance(auth, PasswordAuth):
        return _BearerAuth(proof)
    if auth.scheme is SignInScheme.BASIC:
        # As bytes: requests would write texts in Latin-1 (RFC 7617 2.1 prefers UTF-8).
        return HTTPBasicAuth(auth.username.encode(), proof.text.encode())
    credentials = Credentials(auth.username, proof.text)
    named = credentials.username
    if credentials.type == credentials.EMAIL:
        named = f"\\{named}"  # As exchangelib does it: a user principal name has no domain.
    made: requests.auth.AuthBase = get_auth_instance(
        auth_type=NTLM, username=named, password=proof.text
    )
    return made
