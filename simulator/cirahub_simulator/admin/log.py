"""What was asked of the simulator."""

from __future__ import annotations

import re
from collections import Counter

from aiohttp import web

from cirahub_simulator.admin.answer import AdminError, answer
from cirahub_simulator.journal import Entry
from cirahub_simulator.world import World


class Log:
    """Requests and counters."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.get("/requests", self.requests),
            web.delete("/requests", self.forget),
            web.get("/requests/counts", self.counts),
            web.get("/requests/templates", self.templates),
            web.get("/messages", self.messages),
            web.delete("/messages", self.forget_messages),
        ]

    async def requests(self, request: web.Request) -> web.StreamResponse:
        """`GET /requests`: entries as `journal.Entry`, oldest first.

        Filters, all optional: `service`, `method`, `operation` (of EWS), `path` (a regular
        expression), `template` (as `/requests/templates` shows it), `status`, `client_id`,
        `client_request_id`, `batch` (`yes` for parts of batches, `no` for others, or a batch's
        request-id), `after` (a `seq`), `limit` (the last so many).
        """
        return answer(self._select(request))

    async def forget(self, _: web.Request) -> web.StreamResponse:
        """`DELETE /requests`: entries and counters."""
        self._world.journal.clear()
        return answer()

    async def counts(self, _: web.Request) -> web.StreamResponse:
        """`GET /requests/counts`: how many by `service method status`."""
        return answer(dict(sorted(self._world.journal.counters.items())))

    async def templates(self, request: web.Request) -> web.StreamResponse:
        """`GET /requests/templates`: how many by `method template`, with ids as `{id}`.

        Takes the filters of `/requests`.
        """
        counted = Counter(f"{e.method} {template(e.path)}" for e in self._select(request))
        return answer(dict(sorted(counted.items())))

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """`GET /messages`: what mailboxes would have sent about meetings, oldest first.

        Each as `calendar.outbox.Message`. Filters, both optional: `userId`, `kind`.
        """
        found = self._world.outbox.messages()
        user_id, kind = request.query.get("userId"), request.query.get("kind")
        return answer([m for m in found if user_id in (None, m.user_id) and kind in (None, m.kind)])

    async def forget_messages(self, _: web.Request) -> web.StreamResponse:
        """`DELETE /messages`."""
        self._world.outbox.clear()
        return answer()

    def _select(self, request: web.Request) -> list[Entry]:
        query = request.query
        entries = self._world.journal.entries()
        try:
            if "after" in query:
                after = int(query["after"])
                entries = [e for e in entries if e.seq > after]
            if "status" in query:
                status = int(query["status"])
                entries = [e for e in entries if e.status == status]
            if "path" in query:
                pattern = re.compile(query["path"])
                entries = [e for e in entries if pattern.search(e.path)]
            limit = int(query.get("limit", len(entries)))
        except (ValueError, re.error) as error:
            raise AdminError(400, f"bad filter: {error}") from error
        for name in ("service", "method", "operation", "client_id", "client_request_id"):
            if name in query:
                entries = [e for e in entries if getattr(e, name) == query[name]]
        if "template" in query:
            entries = [e for e in entries if template(e.path) == query["template"]]
        batch = query.get("batch")
        if batch in ("yes", "no"):
            entries = [e for e in entries if (e.batch is not None) == (batch == "yes")]
        elif batch is not None:
            entries = [e for e in entries if e.batch == batch]
        return entries[len(entries) - limit :] if limit < len(entries) else entries


_FIXED = frozenset(
    [
        "users",
        "contactFolders",
        "childFolders",
        "contacts",
        "calendar",
        "calendars",
        "calendarView",
        "events",
        "instances",
        "accept",
        "cancel",
        "decline",
        "forward",
        "tentativelyAccept",
        "delta",
        "$batch",
        "permanentDelete",
        "$count",
        "photo",
        "photos",
        "$value",
        "mailboxSettings",
        "manager",
        "organization",
        "secrets",
        "versions",
        "groups",
        "members",
        "transitiveMembers",
        "memberOf",
        "transitiveMemberOf",
        "microsoft.graph.user",
        "microsoft.graph.group",
        "me",
        "subscriptions",
        "reauthorize",
        "oauth2",
        "v2.0",
        "token",
        ".well-known",
        "openid-configuration",
        "discovery",
        "keys",
        "microsoft.graph.delta()",
        "delta()",
        "microsoft.graph.permanentDelete",
    ]
)


def template(path: str) -> str:
    """A path with everything that is not a fixed segment as `{id}`."""
    return "/".join(
        segment if not segment or segment in _FIXED else "{id}" for segment in path.split("/")
    )
