"""Accounts and permissions of Exchange Servers, and cmdlets of Exchange Online."""

from __future__ import annotations

import msgspec
from aiohttp import web

from cirahub_simulator.admin.answer import AdminError, answer, read
from cirahub_simulator.directory import ExchangeServer, User
from cirahub_simulator.exchange_admin.errors import CmdletError
from cirahub_simulator.exchange_admin.service import ExchangeAdminService
from cirahub_simulator.world import World


class _AccountChange(msgspec.Struct, forbid_unknown_fields=True):
    locked: bool | None = None
    password: str | None = None
    impersonates: bool | None = None


class _ServerChange(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    partner_enabled: bool


class Exchange:
    """What administrators of Exchange do."""

    def __init__(self, world: World, admin: ExchangeAdminService) -> None:
        self._world = world
        self._admin = admin

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.get("/exchange-servers", self.servers),
            web.patch("/exchange-servers/{server}", self.change_server),
            web.patch("/accounts/{user}", self.change_account),
            web.put("/accounts/{user}/full-access", self.set_full_access),
            web.post("/tenants/{tenant}/cmdlets/{cmdlet}", self.run_cmdlet),
        ]

    async def servers(self, _: web.Request) -> web.StreamResponse:
        """`GET /exchange-servers`: domain, host and mailboxes of each; no passwords."""
        directory = self._world.directory
        return answer(
            [
                {
                    "id": server.id,
                    "domain": server.domain,
                    "host": server.host,
                    "netbiosDomain": server.netbios_domain,
                    "mailboxes": [user.user_principal_name for user in directory.users(server.id)],
                }
                for server in directory.exchange_servers()
            ]
        )

    async def change_server(self, request: web.Request) -> web.StreamResponse:
        """`PATCH /exchange-servers/{server}` with `partnerEnabled`: whether it takes the tokens of
        the tenant's applications."""
        name = request.match_info["server"]
        server = self._world.directory.exchange_server(name)
        if server is None:
            raise AdminError(404, f"no Exchange Server {name}")
        server.partner_enabled = (await read(request, _ServerChange)).partner_enabled
        return answer()

    async def change_account(self, request: web.Request) -> web.StreamResponse:
        """`PATCH /accounts/{user}` with `locked`, `password` or `impersonates`."""
        server, user = self._named(request)
        change = await read(request, _AccountChange)
        account = server.accounts[user.id]
        if change.locked is not None:
            account.locked = change.locked
        if change.password is not None:
            account.password = change.password
        if change.impersonates is not None:
            (server.impersonators.add if change.impersonates else server.impersonators.discard)(
                user.id
            )
        return answer()

    async def set_full_access(self, request: web.Request) -> web.StreamResponse:
        """`PUT /accounts/{user}/full-access` `["user@adatum.example"]`: who may open it too."""
        server, user = self._named(request)
        others = set()
        for address in await read(request, list[str]):
            other = self._world.directory.addressee(server.id, address)
            if other is None:
                raise AdminError(400, f"no mailbox {address}")
            others.add(other.id)
        server.full_access[user.id] = others
        return answer()

    async def run_cmdlet(self, request: web.Request) -> web.StreamResponse:
        """`POST /tenants/{tenant}/cmdlets/Set-MailContact` with the parameters: what it answers.

        As an administrator of Exchange Online runs it: no token, no faults, nothing in the log.
        """
        tenant = self._world.directory.tenant(request.match_info["tenant"])
        if tenant is None:
            raise AdminError(404, f"no tenant {request.match_info['tenant']}")
        given = await read(request, dict[str, object])
        try:
            return answer(self._admin.run(tenant.id, request.match_info["cmdlet"], given))
        except CmdletError as error:
            raise AdminError(error.status, str(error)) from error

    def _named(self, request: web.Request) -> tuple[ExchangeServer, User]:
        name = request.match_info["user"]
        user = self._world.directory.find_user(name)
        if user is not None:
            server = self._world.directory.exchange_server(user.tenant_id)
            if server is not None and user.id in server.accounts:
                return server, user
        raise AdminError(404, f"no account {name}")
