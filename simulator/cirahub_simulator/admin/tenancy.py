"""Users, groups, applications, vaults and the cluster, changed while the simulator runs."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from cirahub_simulator.admin.answer import AdminError, answer, read
from cirahub_simulator.directory import (
    Application,
    ClientSecret,
    FederatedCredential,
    Group,
    Tenant,
)
from cirahub_simulator.entra.token import ROLE_TEMPLATES
from cirahub_simulator.entra.trust import TrustedIssuer
from cirahub_simulator.keyvault.vault import Permission, Vault
from cirahub_simulator.seed.loader import FAR_FUTURE, SeedError, load
from cirahub_simulator.seed.record import Federation

if TYPE_CHECKING:
    from cirahub_simulator.server import Simulator


class _Secret(msgspec.Struct, forbid_unknown_fields=True):
    value: str
    expires: datetime | None = None
    name: str = ""


class _VaultSecret(msgspec.Struct, forbid_unknown_fields=True):
    value: str
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    content_type: str | None = None


class _Certificate(msgspec.Struct, forbid_unknown_fields=True):
    pem: str


class _VaultCertificate(msgspec.Struct, forbid_unknown_fields=True):
    value: str


class _Enabled(msgspec.Struct, forbid_unknown_fields=True):
    enabled: bool


class _ApplicationChange(msgspec.Struct, forbid_unknown_fields=True):
    enabled: bool | None = None
    blocked: bool | None = None
    requested: list[str] | None = None


class _Issuer(msgspec.Struct, forbid_unknown_fields=True):
    issuer: str
    ca_pem: str | None = None
    jwks: dict[str, object] | None = None


class _UserChange(msgspec.Struct, forbid_unknown_fields=True):
    enabled: bool | None = None
    mailbox: bool | None = None
    licensed: bool | None = None


class Tenancy:
    """What administrators of tenants do."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._world = simulator.world

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        application = "/applications/{client_id}"
        return [
            web.post("/seed", self.seed),
            web.get("/tenants", self.tenants),
            web.get("/users", self.users),
            web.patch("/users/{user}", self.change_user),
            web.delete("/users/{user}", self.remove_user),
            web.get("/groups", self.groups),
            web.put("/groups/{group}/members", self.set_members),
            web.delete("/groups/{group}", self.remove_group),
            web.get("/applications", self.applications),
            web.patch(application, self.change_application),
            web.delete(application, self.remove_application),
            web.post(application + "/secrets", self.add_secret),
            web.delete(application + "/secrets", self.remove_secrets),
            web.post(application + "/certificates", self.add_certificate),
            web.delete(application + "/certificates", self.remove_certificates),
            web.post(application + "/federated", self.add_federated),
            web.delete(application + "/federated", self.remove_federated),
            web.put(application + "/tenants/{tenant}/roles", self.grant),
            web.put(application + "/tenants/{tenant}/directory-roles", self.assign),
            web.delete(application + "/tenants/{tenant}", self.withdraw),
            web.put("/vaults/{vault}/secrets/{name}", self.put_vault_secret),
            web.delete("/vaults/{vault}/secrets/{name}", self.remove_vault_secret),
            web.patch("/vaults/{vault}/secrets/{name}", self.change_vault_secret),
            web.put("/vaults/{vault}/certificates/{name}", self.put_vault_certificate),
            web.put("/vaults/{vault}/access/{client_id}", self.set_vault_access),
            web.put("/cluster", self.set_cluster),
            web.put("/issuers", self.add_issuer),
        ]

    async def seed(self, request: web.Request) -> web.StreamResponse:
        """`POST /seed`: JSON Lines as a seed file; adds to what is there, replaces by id.

        A new vault gets a listener, which the answered endpoints name.
        """
        try:
            load(self._world, (await request.read()).splitlines(), "POST /seed")
        except SeedError as error:
            raise AdminError(400, str(error)) from error
        await self._simulator.open_tenants()
        return answer(self._simulator.endpoints, 201)

    async def tenants(self, _: web.Request) -> web.StreamResponse:
        """`GET /tenants`."""
        return answer(self._world.directory.tenants())

    async def users(self, _: web.Request) -> web.StreamResponse:
        """`GET /users`: of all tenants."""
        return answer(self._world.directory.users())

    async def change_user(self, request: web.Request) -> web.StreamResponse:
        """`PATCH /users/{user}` with `enabled`, `mailbox` or `licensed`.

        A mailbox that is taken away is gone; one given back is empty. Without a licence it can't be
        reached, and is kept for who is licensed again (for 30 days:
        https://learn.microsoft.com/exchange/recipients-in-exchange-online/delete-or-restore-mailboxes).
        """
        change = await read(request, _UserChange)
        user = self._world.directory.find_user(request.match_info["user"])
        if user is None:
            raise AdminError(404, f"no user {request.match_info['user']}")
        if change.enabled is not None:
            user.account_enabled = change.enabled
        if change.licensed is not None:
            user.has_mailbox = change.licensed
        if change.mailbox is not None:
            user.has_mailbox = change.mailbox
            if not change.mailbox:
                self._world.mailboxes.pop(user.id, None)
        return answer(user)

    async def remove_user(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /users/{user}`, the mailbox too."""
        user = self._world.directory.find_user(request.match_info["user"])
        if user is None:
            raise AdminError(404, f"no user {request.match_info['user']}")
        self._world.directory.remove_user(user.id)
        self._world.mailboxes.pop(user.id, None)
        return answer()

    async def groups(self, _: web.Request) -> web.StreamResponse:
        """`GET /groups`: of all tenants. A group is made by `POST /seed`."""
        return answer(self._world.directory.groups())

    async def set_members(self, request: web.Request) -> web.StreamResponse:
        """`PUT /groups/{group}/members` `["ada@contoso.example", "{group id}"]`.

        Replaces who is in the group: ids or userPrincipalNames of users, ids of groups.
        """
        group = self._group(request)
        directory = self._world.directory
        found = []
        for name in await read(request, list[str]):
            member = directory.find_user(name) or directory.find_group(name)
            if member is None:
                raise AdminError(400, f"no user or group {name}")
            found.append(member.id)
        group.members = found
        return answer(group)

    async def remove_group(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /groups/{group}`."""
        self._world.directory.remove_group(self._group(request).id)
        return answer()

    async def applications(self, _: web.Request) -> web.StreamResponse:
        """`GET /applications`: client id, name, requested and granted roles; no secrets."""
        return answer(
            [
                {
                    "client_id": application.client_id,
                    "display_name": application.display_name,
                    "enabled": application.enabled,
                    "requested": sorted(application.requested),
                    "granted": {t: sorted(roles) for t, roles in application.granted.items()},
                    "secrets": [
                        {"name": secret.name, "expires": secret.expires}
                        for secret in application.secrets
                    ],
                }
                for application in self._world.directory.applications()
            ]
        )

    async def change_application(self, request: web.Request) -> web.StreamResponse:
        """`PATCH /applications/{client_id}` `{"enabled": false}`, `{"blocked": true}` or
        `{"requested": ["Contacts.Read"]}`."""
        application = self._application(request)
        change = await read(request, _ApplicationChange)
        if change.enabled is not None:
            application.enabled = change.enabled
        if change.blocked is not None:
            application.blocked = change.blocked
        if change.requested is not None:
            application.requested = set(change.requested)
        return answer()

    async def remove_application(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /applications/{client_id}`."""
        self._world.directory.remove_application(self._application(request).client_id)
        return answer()

    async def add_secret(self, request: web.Request) -> web.StreamResponse:
        """`POST /applications/{client_id}/secrets` `{"value": …, "expires": …, "name": …}`."""
        body = await read(request, _Secret)
        secret = ClientSecret(body.value, body.expires or FAR_FUTURE, body.name)
        self._application(request).secrets.append(secret)
        return answer({"name": secret.name, "expires": secret.expires}, 201)

    async def remove_secrets(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /applications/{client_id}/secrets`: all, or those of `?name=`."""
        application = self._application(request)
        name = request.query.get("name")
        application.secrets = [
            secret for secret in application.secrets if name is not None and secret.name != name
        ]
        return answer()

    async def add_certificate(self, request: web.Request) -> web.StreamResponse:
        """`POST /applications/{client_id}/certificates` `{"pem": …}`: the public part."""
        body = await read(request, _Certificate)
        try:
            certificate = x509.load_pem_x509_certificate(body.pem.encode())
        except ValueError as error:
            raise AdminError(400, "pem is no certificate") from error
        der = certificate.public_bytes(Encoding.DER)
        self._application(request).certificates.append(der)
        return answer({"thumbprint": certificate.fingerprint(hashes.SHA256()).hex()}, 201)

    async def remove_certificates(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /applications/{client_id}/certificates`: all, or that of `?thumbprint=`.

        The thumbprint is the SHA-256 one, in hexadecimal.
        """
        application = self._application(request)
        wanted = request.query.get("thumbprint")
        application.certificates = [
            der
            for der in application.certificates
            if wanted is not None and hashlib.sha256(der).hexdigest() != wanted.lower()
        ]
        return answer()

    async def remove_federated(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /applications/{client_id}/federated`: all of its federated credentials."""
        self._application(request).federated.clear()
        return answer()

    async def add_federated(self, request: web.Request) -> web.StreamResponse:
        """`POST /applications/{client_id}/federated` `{"issuer": "cluster", "subject": …}`."""
        body = await read(request, Federation)
        self._application(request).federated.append(
            FederatedCredential(body.issuer, body.subject, body.audiences)
        )
        return answer(body, 201)

    async def grant(self, request: web.Request) -> web.StreamResponse:
        """`PUT /applications/{client_id}/tenants/{tenant}/roles` `["Contacts.ReadWrite"]`.

        Replaces what is granted, in tokens issued from now on.
        """
        roles = await read(request, list[str])
        self._application(request).granted[self._tenant(request).id] = set(roles)
        return answer()

    async def assign(self, request: web.Request) -> web.StreamResponse:
        """`PUT /applications/{client_id}/tenants/{tenant}/directory-roles` `["Global Reader"]`.

        Replaces the roles of Entra ID that the application is assigned there.
        """
        roles = await read(request, list[str])
        unknown = [role for role in roles if role not in ROLE_TEMPLATES]
        if unknown:
            raise AdminError(400, f"no role {unknown[0]}; there are {', '.join(ROLE_TEMPLATES)}")
        self._application(request).directory_roles[self._tenant(request).id] = set(roles)
        return answer()

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /applications/{client_id}/tenants/{tenant}`: no service principal any more."""
        self._application(request).granted.pop(self._tenant(request).id, None)
        return answer()

    async def put_vault_secret(self, request: web.Request) -> web.StreamResponse:
        """`PUT /vaults/{vault}/secrets/{name}` `{"value": …}`: a new version."""
        body = await read(request, _VaultSecret)
        made = self._vault(request).put(
            request.match_info["name"],
            body.value,
            int(self._world.clock.time()),
            enabled=body.enabled,
            not_before=body.not_before,
            expires=body.expires,
            content_type=body.content_type,
        )
        return answer({"version": made.version}, 201)

    async def change_vault_secret(self, request: web.Request) -> web.StreamResponse:
        """`PATCH /vaults/{vault}/secrets/{name}` `{"enabled": false}`: of the current version."""
        versions = self._vault(request).versions(request.match_info["name"])
        if not versions:
            raise AdminError(404, f"no secret {request.match_info['name']}")
        versions[-1].enabled = (await read(request, _Enabled)).enabled
        return answer()

    async def put_vault_certificate(self, request: web.Request) -> web.StreamResponse:
        """`PUT /vaults/{vault}/certificates/{name}` `{"value": …}`: a new version.

        PEM with the private key, or a PFX without a password in base64.
        """
        body = await read(request, _VaultCertificate)
        now = int(self._world.clock.time())
        try:
            made = self._vault(request).import_certificate(
                request.match_info["name"], body.value, now
            )
        except ValueError as error:
            raise AdminError(400, "value is neither PEM nor PFX") from error
        return answer({"version": made.version}, 201)

    async def remove_vault_secret(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /vaults/{vault}/secrets/{name}`, for good."""
        if self._vault(request).secrets.pop(request.match_info["name"], None) is None:
            raise AdminError(404, f"no secret {request.match_info['name']}")
        return answer()

    async def set_vault_access(self, request: web.Request) -> web.StreamResponse:
        """`PUT /vaults/{vault}/access/{client_id}` `["get", "list"]`; `[]` locks it out."""
        permissions = await read(request, set[Permission])
        self._vault(request).allow(request.match_info["client_id"], permissions)
        return answer()

    async def set_cluster(self, request: web.Request) -> web.StreamResponse:
        """`PUT /cluster` `{"issuer": …, "ca_pem": …, "jwks": …}`: the Kubernetes cluster.

        Federated credentials whose issuer is `cluster` mean this one from now on. Keys are fetched
        from the issuer unless `jwks` gives them.
        """
        self._world.trust.declare(await _issuer(request), cluster=True)
        return answer()

    async def add_issuer(self, request: web.Request) -> web.StreamResponse:
        """`PUT /issuers`, as `/cluster`, for any other issuer."""
        self._world.trust.declare(await _issuer(request))
        return answer()

    def _group(self, request: web.Request) -> Group:
        group = self._world.directory.find_group(request.match_info["group"])
        if group is None:
            raise AdminError(404, f"no group {request.match_info['group']}")
        return group

    def _application(self, request: web.Request) -> Application:
        client_id = request.match_info["client_id"]
        application = self._world.directory.application(client_id)
        if application is None:
            raise AdminError(404, f"no application {client_id}")
        return application

    def _tenant(self, request: web.Request) -> Tenant:
        tenant = self._world.directory.tenant(request.match_info["tenant"])
        if tenant is None:
            raise AdminError(404, f"no tenant {request.match_info['tenant']}")
        return tenant

    def _vault(self, request: web.Request) -> Vault:
        vault = self._world.vaults.get(request.match_info["vault"])
        if vault is None:
            raise AdminError(404, f"no vault {request.match_info['vault']}")
        return vault


async def _issuer(request: web.Request) -> TrustedIssuer:
    body = await read(request, _Issuer)
    jwks = None if body.jwks is None else msgspec.json.encode(body.jwks).decode()
    return TrustedIssuer(body.issuer, body.ca_pem, jwks)
