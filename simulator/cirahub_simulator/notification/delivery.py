"""Deliveries: POSTs of notifications to the endpoints of subscriptions, over real connections.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks: delivered is what a 2xx
answers, within ten seconds; all else is tried again, at growing intervals, for four hours. What the
page says of endpoints that are slow too often (delays, and notifications dropped for ten minutes)
is not simulated: a rule drops or delays them instead.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from cirahub_simulator.directory import Principal
from cirahub_simulator.notification.subscribed import changes_of, lifecycle
from cirahub_simulator.notification.subscription import LifecycleEvent, Subscription
from cirahub_simulator.wire import Request, Response

if TYPE_CHECKING:
    from cirahub_simulator.world import World

GIVE_UP = 4 * 3600.0
"""Seconds, on the simulator's clock, after which a notification is tried no more."""
FIRST_RETRY = 10.0
"""Seconds, on the same clock, before the second try; twice that before each further one."""
LONGEST_RETRY = 1800.0
GATHER = 0.01
"""Seconds of real time for which what happens at once is gathered."""
CHALLENGE = 900.0
"""How long before an authorisation ends it is asked for anew, in seconds.

https://learn.microsoft.com/graph/change-notifications-lifecycle-events has 15 minutes in its
illustration, and says not to rely on it.
"""
LONGEST_TOKEN = 4096
_PLAIN = "text/plain; charset=utf-8"
_JSON = "application/json; charset=utf-8"


@dataclass(slots=True, eq=False)
class Pending:
    """A notification that is on its way. Times are the simulator's."""

    subscription: Subscription
    url: str
    what: str
    """Its changeType or lifecycleEvent."""
    value: dict[str, object]
    since: float
    due: float
    wait: float = FIRST_RETRY


class Deliveries:
    """The notifications of a world on their way to whoever subscribed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = random.Random(0)  # noqa: S311 - repeatable disorder, not a secret
        self._pending: list[Pending] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()
        """URLs that a delivery is on its way to."""
        self._loop: asyncio.Task[None] | None = None
        self._client: tuple[str, aiohttp.ClientSession] | None = None
        self.delivered = 0
        self.dropped = 0
        """Given up after four hours, or lost by a rule."""

    @property
    def pending(self) -> int:
        """How many are on their way."""
        return len(self._pending)

    @property
    def sending(self) -> int:
        """How many deliveries wait for an answer."""
        return len(self._busy)

    # Validation

    async def shake_hands(self, urls: Iterable[str]) -> str:
        """Ask endpoints whether they are who they should be; blank, or what was wrong.

        https://learn.microsoft.com/graph/change-notifications-delivery-webhooks: POST with
        `?validationToken=`, to be answered within ten seconds with 200, text/plain and the token,
        decoded.
        """
        found = await asyncio.gather(*(self._shake_hand(url) for url in urls))
        return next((problem for problem in found if problem), "")

    async def _shake_hand(self, url: str) -> str:
        # With what a careless endpoint would not decode, or would escape.
        token = f"Validation: Testing client application reachability for {secrets.token_hex(8)}+/="
        separator = "&" if "?" in url else "?"
        asked = f"{url}{separator}validationToken={quote(token, safe='')}"
        try:
            status, content_type, body = await self._post(URL(asked, encoded=True), _PLAIN)
            if status == 200 and content_type == "text/plain" and body == token.encode():
                return ""
            said = f" HTTP status code is '{status}'." if status != 200 else ""
        except TimeoutError:
            return "Subscription validation request timed out."
        except (aiohttp.ClientError, OSError):
            said = ""
        return (
            "Subscription validation request failed. Notification endpoint must respond with 200 "
            f"OK to validation request.{said}"
        )

    # Delivery

    def tell(self, subscription: Subscription, event: LifecycleEvent) -> bool:
        """Send a lifecycle notification; say whether the subscription asked for those."""
        if not subscription.lifecycle_url:
            return False
        value = lifecycle(subscription, event)
        now = self._world.clock.time()
        self._add(subscription, subscription.lifecycle_url, event, value, now)
        self.wake()
        return True

    def end(self, subscription: Subscription) -> None:
        """Remove a subscription as the service itself does: its application is told."""
        self._world.graph_subscriptions.remove(subscription)
        self.tell(subscription, "subscriptionRemoved")

    def wake(self) -> None:
        """Look for what is to be sent, from now on whenever something has happened."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop().create_task(self._run())
        self._world.pulse.beat()

    async def stop(self) -> None:
        """Send nothing more."""
        tasks = [*self._sending, *([self._loop] if self._loop is not None else [])]
        self._loop = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._hang_up()

    async def _hang_up(self) -> None:
        """Close every connection; TLS is not waited for, since an endpoint may be gone."""
        if self._client is not None:
            connector = self._client[1].connector
            if connector is not None:
                await connector.close(abort_ssl=True)
            await self._client[1].close()
            self._client = None

    async def _run(self) -> None:
        while True:
            self._collect()
            self._send()
            await self._world.pulse.wait(self._until_next())
            await asyncio.sleep(GATHER)

    def _until_next(self) -> float:
        now = self._world.clock.time()
        waiting = [one.due for one in self._pending if one.url not in self._busy]
        return max(0.0, min(waiting, default=now + 60.0) - now)

    def _collect(self) -> None:
        world, now = self._world, self._world.clock.time()
        by_token = world.switches.notifications_authorized == "by-token"
        for subscription in world.graph_subscriptions:
            if subscription.expires <= now:
                world.graph_subscriptions.remove(subscription)
                continue
            if world.directory.find_user(subscription.mailbox.user_id) is None:
                self.end(subscription)
                continue
            ending = subscription.authorized_until - CHALLENGE <= now
            if by_token and ending and not subscription.challenged:
                subscription.challenged = True
                self.tell(subscription, "reauthorizationRequired")
            if subscription.mailbox.sequence == subscription.position:
                continue
            for told in changes_of(subscription, deletions=world.switches.deletions_notified):
                url = subscription.notification_url
                self._add(subscription, url, told.change_type, told.value, told.time)

    def _add(
        self,
        subscription: Subscription,
        url: str,
        what: str,
        value: dict[str, object],
        since: float,
    ) -> None:
        due = since + self._world.notifications.latency
        made = Pending(subscription, url, what, value, since, due)
        copies = 2 if self._world.switches.notifications_repeated else 1
        fault = self._world.faults.decide(_as_request(made, b""))
        if fault is not None:
            if fault.rule.kind == "drop":
                self.dropped += 1
                return
            if fault.rule.kind == "delay":
                made.due += fault.rule.delay
            if fault.rule.kind == "repeat":
                copies += 1
        self._pending += [made, *(replace(made) for _ in range(copies - 1))]

    def _send(self) -> None:
        now = self._world.clock.time()
        due = [one for one in self._pending if one.due <= now and one.url not in self._busy]
        due = [one for one in due if self._may_go(one, now)]
        due.sort(key=lambda one: one.url)
        for url, group in groupby(due, key=lambda one: one.url):
            chosen = list(group)[: self._world.notifications.most]
            if self._world.switches.notification_order == "shuffled":
                self._random.shuffle(chosen)
            self._busy.add(url)
            task = asyncio.get_running_loop().create_task(self._deliver(url, chosen))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _may_go(self, one: Pending, now: float) -> bool:
        if self._world.switches.notifications_authorized != "by-token" or "lifecycleEvent" in (
            one.value
        ):
            return True
        if one.subscription.authorized_until > now:
            return True
        self._postpone([one])
        return False

    async def _deliver(self, url: str, chosen: list[Pending]) -> None:
        body = msgspec.json.encode({"value": [one.value for one in chosen]})
        status = 0
        try:
            status, _, _ = await self._post(URL(url), _JSON, body)
        except (aiohttp.ClientError, OSError):
            # Nobody there, or too slow: tried again, as anything but a 2xx is.
            status = 0
        finally:
            self._busy.discard(url)
        self._world.journal.note(_as_request(chosen[0], body), Response(status))
        if 200 <= status < 300:
            self.delivered += len(chosen)
            self._forget(chosen)
        else:
            self._postpone(chosen)
        self._world.pulse.beat()

    def _forget(self, chosen: Iterable[Pending]) -> None:
        gone = set(map(id, chosen))
        self._pending = [one for one in self._pending if id(one) not in gone]

    def _postpone(self, chosen: list[Pending]) -> None:
        now = self._world.clock.time()
        missed: dict[str, Subscription] = {}
        given_up = [one for one in chosen if now - one.since >= GIVE_UP]
        for one in chosen:
            one.due = now + one.wait
            one.wait = min(one.wait * 2, LONGEST_RETRY)
        for one in given_up:
            if "lifecycleEvent" not in one.value:
                missed[one.subscription.id] = one.subscription
        self.dropped += len(given_up)
        self._forget(given_up)
        for subscription in missed.values():
            # https://learn.microsoft.com/graph/change-notifications-lifecycle-events (missed)
            self.tell(subscription, "missed")

    async def _post(self, url: URL, content_type: str, body: bytes = b"") -> tuple[int, str, bytes]:
        """Status, content type and the beginning of the body. Raises TimeoutError, and ClientError
        or OSError where nobody is there or nobody who is trusted."""
        terms = self._world.notifications
        if self._client is None or self._client[0] != terms.ca_file:
            await self._hang_up()
            connector = aiohttp.TCPConnector(ssl=_context(terms.ca_file), limit=100)
            self._client = (terms.ca_file, aiohttp.ClientSession(connector=connector))
        patience = aiohttp.ClientTimeout(total=terms.patience)
        headers = {"Content-Type": content_type}
        async with self._client[1].post(
            url, data=body, headers=headers, timeout=patience, allow_redirects=False
        ) as http:
            return http.status, http.content_type, await http.content.read(LONGEST_TOKEN)


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def _as_request(one: Pending, body: bytes) -> Request:
    """A delivery as rules and the log see it."""
    subscription = one.subscription
    service: Literal["notification"] = "notification"
    return Request(
        method="POST",
        path=one.url,
        body=body,
        client=Principal(subscription.tenant_id, subscription.client_id, frozenset()),
        service=service,
        operation=one.what,
    )
