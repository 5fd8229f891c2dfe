"""The secrets API of one vault.

https://learn.microsoft.com/rest/api/keyvault/secrets (api-version 7.4 and later) for operations and
bodies; https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
for the bearer challenge and the error body.
"""

from __future__ import annotations

import re
import uuid
from urllib.parse import parse_qs

import msgspec

from cirahub_simulator.clouds import CLOUDS
from cirahub_simulator.directory import Principal
from cirahub_simulator.entra.token import RESOURCES, InvalidTokenError, TokenAuthority
from cirahub_simulator.keyvault.vault import Permission, SecretVersion, Vault
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

PAGE = 25
"""Most results of one page.

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets (maxresults)
"""
LARGEST = 25 * 1024
"""Bytes of a value. https://learn.microsoft.com/azure/key-vault/secrets/about-secrets"""

_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
"""https://learn.microsoft.com/rest/api/keyvault/secrets/set-secret/set-secret (secret-name)"""

_REASONS: dict[str, str] = {
    "malformed": "The access token is malformed.",
    "signature": "The access token has an invalid signature.",
    "expired": "The access token is expired.",
    "early": "The access token is not yet valid.",
}
"""Our words: Key Vault's own for these are in no document. The status and the code are."""


class _VaultError(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, code: str, message: str, inner: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.inner = inner


class _Attributes(msgspec.Struct, frozen=True):
    enabled: bool | None = None
    nbf: int | None = None
    exp: int | None = None


class _SetSecret(msgspec.Struct):
    value: str
    content_type: str | None = msgspec.field(default=None, name="contentType")
    attributes: _Attributes = _Attributes()
    tags: dict[str, str] | None = None


class _UpdateSecret(msgspec.Struct):
    content_type: str | None = msgspec.field(default=None, name="contentType")
    attributes: _Attributes = _Attributes()
    tags: dict[str, str] | None = None


class KeyVaultService:
    """One vault on its own origin."""

    def __init__(self, world: World, tokens: TokenAuthority, vault: Vault) -> None:
        self._world = world
        self._tokens = tokens
        self._vault = vault
        self._cloud = CLOUDS[vault.cloud]

    def handle(self, request: Request) -> Response:
        """Answer one request; it must carry a token of the vault's tenant."""
        try:
            status, body = self._route(request)
        except _VaultError as error:
            inner = {} if error.inner is None else {"innererror": {"code": error.inner}}
            body = {"error": {"code": error.code, "message": str(error), **inner}}
            status = error.status
        answer = Response(
            status,
            {
                "Content-Type": "application/json; charset=utf-8",
                "x-ms-keyvault-region": "westeurope",
                "x-ms-keyvault-service-version": "1.9.2000.1",
                "x-ms-request-id": str(uuid.uuid4()),
            },
            msgspec.json.encode(body),
        )
        if status == 401:
            # The SDK sends its first request without a body and a token, to be challenged.
            answer.headers["WWW-Authenticate"] = (
                f'Bearer authorization="{self._cloud.authority}/{self._vault.tenant_id}", '
                f'resource="{self._cloud.vault}"'
            )
        return answer

    def _route(self, request: Request) -> tuple[int, object]:
        client = self._authenticate(request)
        query = {key: values[0] for key, values in parse_qs(request.query).items()}
        if "api-version" not in query:
            raise _VaultError(400, "BadParameter", "The request must specify api-version.")
        parts = [part for part in request.path.split("/") if part]
        if not parts or parts[0] != "secrets" or len(parts) > 3:
            raise _VaultError(404, "NotFound", "No such resource.")
        if len(parts) > 1 and not _NAME.fullmatch(parts[1]):
            raise _VaultError(
                400,
                "BadParameter",
                f"The request URI contains an invalid name: {parts[1]}",
            )
        match request.method, parts:
            case "GET", [_]:
                self._authorize(client, "list", request)
                return 200, self._list(request, query)
            case "GET", [_, name, "versions"]:
                self._authorize(client, "list", request)
                return 200, self._list_versions(request, name, query)
            case "GET", [_, name]:
                self._authorize(client, "get", request)
                return 200, self._get(request, name, None)
            case "GET", [_, name, version]:
                self._authorize(client, "get", request)
                return 200, self._get(request, name, version)
            case "PUT", [_, name]:
                self._authorize(client, "set", request)
                return 200, self._set(request, name)
            case "PATCH", [_, name, version]:
                self._authorize(client, "set", request)
                return 200, self._update(request, name, version)
        raise _VaultError(405, "MethodNotAllowed", "The method is not allowed on this resource.")

    def _authenticate(self, request: Request) -> Principal:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _VaultError(
                401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token."
            )
        try:
            client = self._tokens.verify(token, self._cloud.vault)
        except InvalidTokenError as error:
            message = _REASONS.get(
                error.reason,
                f"AKV10022: Invalid audience. Expected {self._cloud.vault} or "
                f"{RESOURCES[self._cloud.vault]}, "
                f"found: {error}.",
            )
            raise _VaultError(401, "Unauthorized", message) from error
        if client.tenant_id != self._vault.tenant_id:
            raise _VaultError(
                401,
                "Unauthorized",
                f"AKV10032: Invalid issuer. Expected one of {self._cloud.issuer}"
                f"{self._vault.tenant_id}/, found {self._cloud.issuer}{client.tenant_id}/.",
            )
        request.client = client
        return client

    def _authorize(self, client: Principal, permission: Permission, request: Request) -> None:
        if not self._vault.may(client.client_id, permission):
            raise _VaultError(
                403,
                "Forbidden",
                "The user, group or application "
                f"'appid={client.client_id};iss={self._cloud.issuer}{client.tenant_id}/' does "
                f"not have secrets {permission} permission on key vault "
                f"'{self._vault.name};location=westeurope'.",
                "AccessDenied",
            )

    def _find(self, name: str, version: str | None) -> SecretVersion:
        versions = self._vault.versions(name)
        if version is None:
            found = versions[-1] if versions else None
        else:
            found = next((v for v in versions if v.version == version), None)
        if found is None:
            shown = name if version is None else f"{name}/{version}"
            raise _VaultError(
                404,
                "SecretNotFound",
                f"A secret with (name/id) {shown} was not found in this key vault.",
            )
        return found

    def _get(self, request: Request, name: str, version: str | None) -> dict[str, object]:
        found = self._find(name, version)
        if not found.enabled:
            raise _VaultError(
                403,
                "Forbidden",
                "Operation get is not allowed on a disabled secret.",
                "SecretDisabled",
            )
        if self._world.switches.vault_expiry == "enforced":
            now = self._world.clock.time()
            if found.expires is not None and now >= found.expires:
                raise _VaultError(
                    403,
                    "Forbidden",
                    "Operation get is not allowed on an expired secret.",
                    "SecretExpired",
                )
            if found.not_before is not None and now < found.not_before:
                raise _VaultError(
                    403,
                    "Forbidden",
                    "Operation get is not allowed on a not yet valid secret.",
                    "SecretNotYetValid",
                )
        return {"value": found.value, **self._item(request, name, found, versioned=True)}

    def _set(self, request: Request, name: str) -> dict[str, object]:
        try:
            body = msgspec.json.decode(request.body, type=_SetSecret)
        except msgspec.MsgspecError as error:
            raise _VaultError(
                400, "BadParameter", f"Property has invalid value: {error}"
            ) from error
        if len(body.value.encode()) > LARGEST:
            raise _VaultError(400, "BadParameter", f"Secret value is larger than {LARGEST} bytes.")
        attributes = body.attributes
        made = self._vault.put(
            name,
            body.value,
            int(self._world.clock.time()),
            enabled=attributes.enabled is not False,
            not_before=attributes.nbf,
            expires=attributes.exp,
            content_type=body.content_type,
            tags=body.tags,
        )
        return {"value": made.value, **self._item(request, name, made, versioned=True)}

    def _update(self, request: Request, name: str, version: str) -> dict[str, object]:
        found = self._find(name, version)
        try:
            body = msgspec.json.decode(request.body, type=_UpdateSecret)
        except msgspec.MsgspecError as error:
            raise _VaultError(
                400, "BadParameter", f"Property has invalid value: {error}"
            ) from error
        attributes = body.attributes
        if attributes.enabled is not None:
            found.enabled = attributes.enabled
        if attributes.nbf is not None:
            found.not_before = attributes.nbf
        if attributes.exp is not None:
            found.expires = attributes.exp
        if body.content_type is not None:
            found.content_type = body.content_type
        if body.tags is not None:
            found.tags = body.tags
        found.updated = int(self._world.clock.time())
        return self._item(request, name, found, versioned=True)

    def _list(self, request: Request, query: dict[str, str]) -> dict[str, object]:
        items = [
            self._item(request, name, versions[-1], versioned=False)
            for name, versions in sorted(self._vault.secrets.items())
        ]
        return _page(request, query, items)

    def _list_versions(
        self, request: Request, name: str, query: dict[str, str]
    ) -> dict[str, object]:
        # An unknown name lists no versions: the list operations document no SecretNotFound.
        versions = sorted(self._vault.versions(name), key=lambda v: v.version)
        items = [self._item(request, name, version, versioned=True) for version in versions]
        return _page(request, query, items)

    def _item(
        self, request: Request, name: str, version: SecretVersion, *, versioned: bool
    ) -> dict[str, object]:
        attributes: dict[str, object] = {"enabled": version.enabled}
        if version.not_before is not None:
            attributes["nbf"] = version.not_before
        if version.expires is not None:
            attributes["exp"] = version.expires
        attributes["created"] = version.created
        attributes["updated"] = version.updated
        attributes["recoveryLevel"] = "Recoverable+Purgeable"
        attributes["recoverableDays"] = 90
        base = f"{request.origin}/secrets/{name}"
        item: dict[str, object] = {
            "id": f"{base}/{version.version}" if versioned else base,
            "attributes": attributes,
            "tags": version.tags,
        }
        if version.content_type is not None:
            item["contentType"] = version.content_type
        if version.certificate:
            # https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret (SecretBundle).
            item["managed"] = True
            item["kid"] = f"{request.origin}/keys/{name}/{version.version}"
        return item


def _page(
    request: Request, query: dict[str, str], items: list[dict[str, object]]
) -> dict[str, object]:
    try:
        size = int(query.get("maxresults", PAGE))
        start = int(query.get("$skiptoken", 0))
    except ValueError as error:
        raise _VaultError(400, "BadParameter", f"Not a number: {error}") from error
    if not 1 <= size <= PAGE:
        raise _VaultError(400, "BadParameter", f"maxresults must be between 1 and {PAGE}.")
    following = None
    if start + size < len(items):
        following = (
            f"{request.origin}{request.path}?api-version={query['api-version']}"
            f"&$skiptoken={start + size}&maxresults={size}"
        )
    return {"value": items[start : start + size], "nextLink": following}
