"""Subscriptions to change notifications, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from cirahub_simulator.admin.answer import AdminError, answer, read
from cirahub_simulator.notification.subscription import LifecycleEvent, Subscription, moment
from cirahub_simulator.notification.terms import Terms

if TYPE_CHECKING:
    from cirahub_simulator.server import Simulator


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    event: LifecycleEvent


class Notifications:
    """What subscriptions there are, how notifications are delivered, and lifecycle events."""

    def __init__(self, simulator: Simulator) -> None:
        self._world = simulator.world
        self._deliveries = simulator.deliveries

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.get("/notifications", self.show),
            web.patch("/notifications", self.set_terms),
            web.get("/subscriptions", self.list_subscriptions),
            web.post("/subscriptions/{id}/lifecycle", self.tell),
        ]

    async def show(self, _: web.Request) -> web.StreamResponse:
        """`GET /notifications`: the `terms` of `notification.terms.Terms`, and how many are
        `pending`, were `delivered` and were `dropped`; to how many endpoints a delivery is being
        `sending`."""
        deliveries = self._deliveries
        return answer(
            {
                "terms": self._world.notifications,
                "pending": deliveries.pending,
                "sending": deliveries.sending,
                "delivered": deliveries.delivered,
                "dropped": deliveries.dropped,
            }
        )

    async def set_terms(self, request: web.Request) -> web.StreamResponse:
        """`PATCH /notifications` with the terms to change."""
        changes = await read(request, dict[str, object])
        merged = {**msgspec.structs.asdict(self._world.notifications), **changes}
        try:
            self._world.notifications = msgspec.convert(merged, Terms)
        except msgspec.ValidationError as error:
            raise AdminError(400, f"PATCH /notifications: {error}") from error
        return await self.show(request)

    async def list_subscriptions(self, _: web.Request) -> web.StreamResponse:
        """`GET /subscriptions`: those of all applications, without their clientState."""
        return answer([_shown(one) for one in self._world.graph_subscriptions])

    async def tell(self, request: web.Request) -> web.StreamResponse:
        """`POST /subscriptions/{id}/lifecycle` `{"event": "missed"}`: what Graph would tell of its
        own accord; `subscriptionRemoved` removes it as well."""
        event = (await read(request, _Event)).event
        found = self._world.graph_subscriptions.find(request.match_info["id"])
        if found is None:
            raise AdminError(404, f"no subscription {request.match_info['id']}")
        if not found.lifecycle_url:
            raise AdminError(409, f"{found.id} has no lifecycleNotificationUrl to be told at")
        if event == "subscriptionRemoved":
            self._deliveries.end(found)
        else:
            self._deliveries.tell(found, event)
        return answer()


def _shown(subscription: Subscription) -> dict[str, object]:
    return {
        "id": subscription.id,
        "client_id": subscription.client_id,
        "tenant_id": subscription.tenant_id,
        "user_id": subscription.mailbox.user_id,
        "resource": subscription.resource,
        "change_types": sorted(subscription.change_types),
        "notification_url": subscription.notification_url,
        "lifecycle_url": subscription.lifecycle_url,
        "expires": moment(subscription.expires),
    }
