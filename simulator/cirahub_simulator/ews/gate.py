"""Who may pass to the EWS service: Basic, NTLM, and the tokens of Exchange Online.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/authentication-and-ews-in-exchange.
NTLM ([MS-NTHT]) signs a connection in, not a request: what comes on it afterwards needs no header.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

import spnego
from spnego.exceptions import SpnegoError

from cirahub_simulator.directory import Account, ExchangeServer, Principal, User
from cirahub_simulator.entra.token import (
    OUTLOOK,
    RESOURCES,
    InvalidTokenError,
    TokenAuthority,
)
from cirahub_simulator.ews.call import ACCOUNT, FULL_ACCESS_AS_APP, IMPERSONATION
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

_OPERATION = re.compile(
    rb"<(?:[\w.-]+:)?Body\b[^>]*>\s*(?:<!--.*?-->\s*)*<(?:[\w.-]+:)?(\w+)", re.DOTALL
)
_environment = threading.Lock()


def note_operation(request: Request) -> None:
    """Put the operation into the request, for rules and the log."""
    match = _OPERATION.search(request.body)
    if match is not None:
        request.operation = match[1].decode()


class TokenGate:
    """Exchange Online's: app-only tokens of Entra.

    https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth
    """

    def __init__(self, tokens: TokenAuthority) -> None:
        self._tokens = tokens

    def admit(self, request: Request) -> Response | None:
        """None: go on. Otherwise the refusal."""
        note_operation(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self._refuse("")
        try:
            principal = self._tokens.verify(token.strip(), OUTLOOK)
        except InvalidTokenError as error:
            return self._refuse(f', error="invalid_token", error_description="{error.reason}"')
        request.client = principal
        return None

    @staticmethod
    def _refuse(why: str) -> Response:
        challenge = (
            'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", '
            'token_types="app_asserted_user_v1 service_asserted_app_v1", '
            f'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"{why}'
        )
        return Response(401, {}, challenges=(challenge,))


class AccountGate:
    """An Exchange Server's: Basic, NTLM through pyspnego's acceptor, and tokens of the tenant that
    it is hybrid with."""

    def __init__(self, world: World, server: ExchangeServer, tokens: TokenAuthority) -> None:
        self._world = world
        self._server = server
        self._tokens = tokens
        self._pending: WeakKeyDictionary[object, spnego.ContextProxy] = WeakKeyDictionary()
        self._signed_in: WeakKeyDictionary[object, str] = WeakKeyDictionary()

    def admit(self, request: Request) -> Response | None:
        """None: go on. Otherwise the refusal, or the next step of NTLM."""
        note_operation(request)
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        match scheme.lower():
            case "basic":
                return self._pass(request, self._basic(credential.strip()))
            case "ntlm":
                return self._ntlm(request, credential.strip())
            case "bearer" if self._server.hybrid_tenant:
                return self._bearer(request, credential.strip())
            case "":
                signed_in = self._signed_in.get(request.connection)
                return self._pass(request, signed_in and self._user(signed_in))
            case _:
                return self._refuse()

    def _pass(self, request: Request, user: User | str | None) -> Response | None:
        if not isinstance(user, User) or not user.account_enabled:
            return self._refuse()
        roles = {ACCOUNT}
        if user.id in self._server.impersonators:
            roles.add(IMPERSONATION)
        request.client = Principal(self._server.id, user.id, frozenset(roles))
        return None

    def _refuse(self, *challenges: str) -> Response:
        offered = challenges or ("NTLM", f'Basic realm="{self._server.host}"', *self._tokens_of())
        return Response(401, {}, challenges=offered)

    def _tokens_of(self, why: str = "") -> tuple[str, ...]:
        """How it says whose tokens it takes, as the Exchange team shows it:
        https://techcommunity.microsoft.com/t5/exchange-team-blog/announcing-hybrid-modern-authentication-for-exchange-on-premises/ba-p/607476
        """
        tenant = self._server.hybrid_tenant
        if not tenant:
            return ()
        challenge = (
            f'Bearer client_id="{RESOURCES[OUTLOOK]}", '
            f'trusted_issuers="00000001-0000-0000-c000-000000000000@{tenant}", '
            'token_types="app_asserted_user_v1 service_asserted_app_v1", '
            f'authorization_uri="https://login.windows.net/common/oauth2/authorize"{why}'
        )
        return (challenge,)

    def _bearer(self, request: Request, token: str) -> Response | None:
        """A token for this very host. Without the role of Exchange Online's application it lets
        nobody into a mailbox, and the service says so."""
        try:
            principal = self._tokens.verify(token, f"https://{self._server.host}")
        except InvalidTokenError:
            return self._refuse(*self._tokens_of(', error="invalid_token"'))
        trusted = self._server.partner_enabled
        if not trusted or principal.tenant_id != self._server.hybrid_tenant:
            return self._refuse(*self._tokens_of(', error="invalid_token"'))
        request.client = Principal(
            self._server.id, principal.client_id, principal.roles & {FULL_ACCESS_AS_APP}
        )
        return None

    def _user(self, name: str) -> User | None:
        """The user of `DOMAIN\\name`, of a userPrincipalName or of a bare account name."""
        domain, _, local = name.rpartition("\\")
        if domain and domain.lower() not in (
            self._server.netbios_domain.lower(),
            self._server.domain.lower(),
        ):
            return None
        for user_id, account in self._server.accounts.items():
            user = self._world.directory.find_user(user_id)
            if user is None or account.locked:
                continue
            names = {account.name.lower()}
            if not domain:
                names.add(user.user_principal_name.lower())
            if local.lower() in names:
                return user
        return None

    def _basic(self, credential: str) -> User | None:
        """RFC 7617; the user name may be of either form."""
        try:
            name, _, password = b64decode(credential, validate=True).decode().partition(":")
        except (ValueError, Base64Error):
            return None
        user = self._user(name)
        if user is None or self._server.accounts[user.id].password != password:
            return None
        return user

    def _ntlm(self, request: Request, credential: str) -> Response | None:
        connection = request.connection
        self._signed_in.pop(connection, None)
        try:
            token = b64decode(credential, validate=True)
        except (ValueError, Base64Error):
            return self._refuse()
        with self._accounts_file():
            context = self._pending.pop(connection, None)
            try:
                if context is None or token[8:12] == b"\x01\0\0\0":
                    context = spnego.server(
                        protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm
                    )
                answer = context.step(token)
            except (SpnegoError, ValueError):
                return self._refuse()
        if not context.complete:
            self._pending[connection] = context
            return self._refuse(f"NTLM {b64encode(answer or b'').decode()}")
        name = context.client_principal or ""
        self._signed_in[connection] = name
        return self._pass(request, self._user(name))

    @contextmanager
    def _accounts_file(self) -> Iterator[None]:
        """pyspnego's acceptor reads accounts from the file that NTLM_USER_FILE names, each time."""
        with _environment, tempfile.NamedTemporaryFile("w", suffix=".accounts") as file:
            for user_id, account in self._server.accounts.items():
                user = self._world.directory.find_user(user_id)
                if user is not None:
                    file.write(self._lines(user, account))
            file.flush()
            before = os.environ.get("NTLM_USER_FILE")
            os.environ["NTLM_USER_FILE"] = str(Path(file.name))
            try:
                yield
            finally:
                if before is None:
                    del os.environ["NTLM_USER_FILE"]
                else:
                    os.environ["NTLM_USER_FILE"] = before

    def _lines(self, user: User, account: Account) -> str:
        names = (
            f"{self._server.netbios_domain}:{account.name}",
            f"{self._server.domain}:{account.name}",
            f":{account.name}",
            f":{user.user_principal_name}",
        )
        return "".join(f"{name}:{account.password}\n" for name in names)
