"""Mailboxes as their users see them: no token, no throttling, no faults, nothing in the log."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec
from aiohttp import web

from cirahub_simulator.admin.answer import AdminError, answer, read
from cirahub_simulator.directory import User
from cirahub_simulator.graph.errors import GraphError
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.seed import add_contacts
from cirahub_simulator.graph.service import GraphService
from cirahub_simulator.wire import Request
from cirahub_simulator.world import World


class _Import(msgspec.Struct, forbid_unknown_fields=True):
    contacts: list[dict[str, object]]
    folder: list[str] = []


class _Target(msgspec.Struct, forbid_unknown_fields=True):
    folder: list[str] | None = None


class People:
    """What the users of mailboxes do."""

    def __init__(self, world: World, graph: GraphService) -> None:
        self._world = world
        self._graph = graph

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.get("/mailboxes", self.mailboxes),
            web.get("/mailboxes/{user}/contacts", self.dump),
            web.post("/mailboxes/{user}/contacts", self.import_contacts),
            web.post("/mailboxes/{user}/contacts/{id}/move", self.move),
            web.post("/mailboxes/{user}/contacts/{id}/copy", self.copy),
            web.post("/mailboxes/{user}/expire-delta-tokens", self.expire),
            web.route("*", "/graph/{path:.*}", self.as_user),
        ]

    async def mailboxes(self, _: web.Request) -> web.StreamResponse:
        """`GET /mailboxes`: each with `id`, `userPrincipalName` and the number of `contacts`."""
        return answer(
            [
                {
                    "id": user.id,
                    "userPrincipalName": user.user_principal_name,
                    "contacts": sum(
                        len(folder.contacts) for folder in self._mailbox(user).folders()
                    ),
                }
                for user in self._world.directory.users()
                if user.has_mailbox
            ]
        )

    async def dump(self, request: web.Request) -> web.StreamResponse:
        """`GET /mailboxes/{user}/contacts`: every contact with all that it carries.

        Each is `{"folder": ["Customers"], "contact": {…}}`, where the contact has its regular `id`,
        its `immutableId` and `singleValueExtendedProperties`. `user` is an id or a
        userPrincipalName.
        """
        mailbox = self._named(request)
        found = []
        for folder in mailbox.folders():
            path = _path(folder)
            for contact in folder.contacts.values():
                fields = contact.to_dict(contact.id)
                fields["immutableId"] = contact.immutable_id
                fields["singleValueExtendedProperties"] = [
                    {"id": name, "value": value} for name, value in contact.extended.items()
                ]
                found.append({"folder": path, "contact": fields})
        return answer(found)

    async def import_contacts(self, request: web.Request) -> web.StreamResponse:
        """`POST /mailboxes/{user}/contacts` `{"folder": ["Customers"], "contacts": [{…}]}`.

        Contacts are Graph's JSON; missing folders are made.
        """
        body = await read(request, _Import)
        user = self._user(request)
        try:
            add_contacts(self._world, user.id, body.folder, body.contacts)
        except (GraphError, ValueError) as error:
            raise AdminError(400, str(error)) from error
        return answer({"imported": len(body.contacts)}, 201)

    async def move(self, request: web.Request) -> web.StreamResponse:
        """`POST /mailboxes/{user}/contacts/{id}/move` `{"folder": ["Customers"]}`."""
        return await self._transfer(request, copy=False)

    async def copy(self, request: web.Request) -> web.StreamResponse:
        """`POST /mailboxes/{user}/contacts/{id}/copy`, by default beside the original."""
        return await self._transfer(request, copy=True)

    async def expire(self, request: web.Request) -> web.StreamResponse:
        """`POST /mailboxes/{user}/expire-delta-tokens`: the next use of each answers 410."""
        self._named(request).expire_delta_tokens()
        return answer()

    async def as_user(self, request: web.Request) -> web.StreamResponse:
        """Any method on `/graph/v1.0/…`: a Graph request without token, throttle, fault or log."""
        path, _, query = request.raw_path.removeprefix("/graph").partition("?")
        if not path.startswith("/v1.0/"):
            raise AdminError(404, "ask for /graph/v1.0/…")
        response = self._graph.handle(
            Request(
                method=request.method,
                path=path.removeprefix("/v1.0"),
                query=query,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
                service="admin",
            )
        )
        return web.Response(body=response.body, status=response.status, headers=response.headers)

    async def _transfer(self, request: web.Request, *, copy: bool) -> web.StreamResponse:
        mailbox = self._named(request)
        target = await read(request, _Target) if request.body_exists else _Target()
        try:
            contact = mailbox.contact(unquote(request.match_info["id"]))
            folder = contact.folder
            if target.folder is not None:
                found = mailbox.folder_at(tuple(target.folder))
                if found is None:
                    raise AdminError(404, f"no folder {'/'.join(target.folder)}")
                folder = found
            if copy:
                contact = mailbox.copy_contact(contact, folder)
            else:
                contact = mailbox.move_contact(contact, folder)
        except GraphError as error:
            raise AdminError(error.status, str(error)) from error
        return answer(contact.to_dict(contact.id), 201)

    def _named(self, request: web.Request) -> Mailbox:
        return self._mailbox(self._user(request))

    def _user(self, request: web.Request) -> User:
        name = request.match_info["user"]
        user = self._world.directory.find_user(name)
        if user is None or not user.has_mailbox:
            raise AdminError(404, f"no mailbox {name}")
        return user

    def _mailbox(self, user: User) -> Mailbox:
        mailbox = self._world.mailboxes.get(user.id)
        if mailbox is None:
            mailbox = self._world.mailboxes[user.id] = Mailbox(user.id, self._world)
        return mailbox


def _path(folder: Folder) -> list[str]:
    names: list[str] = []
    while folder.parent is not None and not folder.distinguished:
        names.insert(0, folder.display_name)
        folder = folder.parent
    return names
