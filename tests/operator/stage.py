"""A namespace of a real API server, and short words for what tests do in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from cirahub_operator.metrics import Metrics
from cluster import Cluster

WITHIN = 180.0
"""Seconds after which a condition that was waited for counts as failed."""
POLL = 0.1
OURS = "cirahub.io/v1alpha1"
PLURALS = ("spokes", "spokesets", "hubs", "connections")

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"

Manifest = dict[str, Any]

NO_GRACE = {"gracePeriod": "0s"}
"""A Hub's `deletion`: what is deleted is held until it is erased."""


def connection(name: str = "contoso", **spec: object) -> Manifest:
    auth = {"workloadIdentity": {"clientID": CLIENT, "serviceAccountName": "sync"}}
    return _manifest(
        "Connection", name, {"microsoft365": {"tenantID": TENANT}, "auth": auth} | spec
    )


def server_connection(name: str = "adatum", **spec: object) -> Manifest:
    """To an Exchange Server."""
    auth = {
        "basic": {
            "username": "ADATUM\\svc-cirahub",
            "secretRef": {"name": "exchange", "key": "password"},
        }
    }
    server = {"host": "mail.adatum.example"}
    return _manifest("Connection", name, {"exchangeServer": server, "auth": auth} | spec)


def books_connection(name: str = "books", **spec: object) -> Manifest:
    """To a CardDAV server."""
    auth = {
        "basic": {
            "username": "ada",
            "scheme": "Basic",
            "secretRef": {"name": "books", "key": "password"},
        }
    }
    server = {"url": "https://dav.contoso.example"}
    return _manifest("Connection", name, {"cardDAV": server, "auth": auth} | spec)


def hub(name: str = "staff", **spec: object) -> Manifest:
    return _manifest("Hub", name, {"interval": "1h", **spec})


def spoke(name: str = "ann", **spec: object) -> Manifest:
    return _manifest(
        "Spoke",
        name,
        {
            "hubRef": {"name": "staff"},
            "connectionRef": {"name": "contoso"},
            "mailbox": {"address": f"{name}@contoso.com"},
            **spec,
        },
    )


def spoke_set(name: str = "everybody", **spec: object) -> Manifest:
    return _manifest(
        "SpokeSet",
        name,
        {
            "hubRef": {"name": "staff"},
            "connectionRef": {"name": "contoso"},
            "members": {"groups": ["everybody@contoso.com"]},
            "template": {"mailbox": {"folder": "Company"}, "direction": "Receive"},
            **spec,
        },
    )


def _manifest(kind: str, name: str, spec: Mapping[str, object]) -> Manifest:
    return {
        "apiVersion": OURS,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {field: value for field, value in spec.items() if value is not None},
    }


class Stage:
    def __init__(self, plane: Cluster, namespace: str) -> None:
        self.plane = plane
        self.namespace = namespace

    async def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return await asyncio.to_thread(
            self.plane.kubectl, "-n", self.namespace, *arguments, input=stdin
        )

    async def apply(self, *manifests: Manifest) -> None:
        await self.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(manifests))

    async def synced(self, *manifests: Manifest) -> None:
        """Apply them, and wait until the Spokes and Hubs among them are in sync."""
        await self.apply(*manifests)
        for kind in ("Spoke", "Hub"):
            for one in manifests:
                if one["kind"] == kind:
                    await self.comes(kind, one["metadata"]["name"], "True", "Synced")

    async def delete(self, kind: str, name: str) -> None:
        await self.kubectl("delete", kind, name, "--wait=false")

    async def leaves(self, kind: str, name: str) -> None:
        """Delete an object, and wait until it does not exist."""
        await self.delete(kind, name)
        await self.goes(kind, name)

    async def tear_away(self, kind: str, name: str) -> None:
        """Delete an object although our finalizer is on it."""
        await self.delete(kind, name)
        await self.kubectl(
            "patch", kind, name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}'
        )
        await self.goes(kind, name)

    def leave(self) -> None:
        """Nobody serves this namespace any more: let its objects go, or it would never end, and
        the namespace controller would look at it again and again."""
        self.plane.let_go(OURS, self.namespace, PLURALS)

    def end(self) -> None:
        """`leave`, and have the namespace deleted."""
        self.leave()
        self.plane.delete_namespace(self.namespace)

    async def annotate(self, kind: str, name: str, text: str) -> None:
        await self.kubectl("annotate", kind, name, "--overwrite", text)

    async def read(self, group_version: str, plural: str, name: str = "") -> Manifest | None:
        """An object of the namespace, or the list of them; None if it does not exist."""
        root = "api/v1" if group_version == "v1" else f"apis/{group_version}"
        path = f"/{root}/namespaces/{self.namespace}/{plural}"
        found: Manifest | None = await asyncio.to_thread(
            self.plane.get, f"{path}/{name}" if name else path
        )
        return found

    async def listed(self, group_version: str, plural: str) -> list[Manifest]:
        found = await self.read(group_version, plural)
        assert found is not None, f"the API server knows no {plural} of {group_version}"
        return list(found["items"])

    async def get(self, kind: str, name: str) -> Manifest | None:
        """An object of ours: `hub`, `spoke`, `spokeset` or `connection`."""
        return await self.read(OURS, f"{kind.lower()}s", name)

    async def objects(self) -> dict[tuple[str, str], Manifest]:
        """All of ours, by kind and name."""
        return {
            (kind, one["metadata"]["name"]): one
            for kind in ("Connection", "Hub", "Spoke", "SpokeSet")
            for one in await self.listed(OURS, f"{kind.lower()}s")
        }

    async def events(self) -> list[Manifest]:
        """`Event`s of events.k8s.io/v1."""
        return await self.listed("events.k8s.io/v1", "events")

    async def status(self, kind: str, name: str) -> Manifest:
        found = await self.get(kind, name)
        assert found is not None, f"{kind} {name} is gone"
        status: Manifest = found.get("status", {})
        return status

    async def message(self, kind: str, name: str, of: str = "Ready") -> str:
        """Blank if there is no such condition."""
        conditions = (await self.status(kind, name)).get("conditions", [])
        return next((str(one["message"]) for one in conditions if one["type"] == of), "")

    async def says(self, kind: str, name: str, words: str, *, of: str = "Ready") -> str:
        """Wait for words in a condition's message."""
        last: list[str] = []

        async def there() -> bool:
            last[:] = [await self.message(kind, name, of)]
            return words in last[0]

        await self.until(there, lambda: f"{of} of {kind} {name} says {last}, not {words!r}")
        return last[0]

    async def told(self, reason: str, kind: str, words: str = "") -> None:
        """Wait for an event about an object of a kind."""
        notes: list[str] = []

        async def there() -> bool:
            notes[:] = [
                one.get("note", "")
                for one in await self.events()
                if (one["reason"], one["regarding"]["kind"]) == (reason, kind)
            ]
            return any(words in note for note in notes)

        await self.until(there, lambda: f"no event {reason} of a {kind} says {words!r}: {notes}")

    async def condition(self, kind: str, name: str, of: str = "Ready") -> tuple[str, str]:
        """Status and reason; blank if there is no such condition."""
        conditions = (await self.status(kind, name)).get("conditions", [])
        for one in conditions:
            if one["type"] == of:
                return one["status"], one["reason"]
        return "", ""

    async def comes(
        self, kind: str, name: str, status: str, reason: str, *, of: str = "Ready"
    ) -> None:
        """Wait for a condition."""
        last: list[tuple[str, str]] = []

        async def there() -> bool:
            last[:] = [await self.condition(kind, name, of)]
            return last == [(status, reason)]

        await self.until(there, lambda: f"{of} of {kind} {name} is {last}, not {status} {reason}")

    async def goes(self, kind: str, name: str) -> None:
        """Wait until an object does not exist."""

        async def gone() -> bool:
            return await self.get(kind, name) is None

        await self.until(gone, lambda: f"{kind} {name} still exists")

    async def meters(self, metrics: Metrics, *samples: str, absent: str = "") -> None:
        """Wait until samples stand in what is scraped, and one does not: a status or an event is
        seen by whoever asks before its writer has come to count it."""

        def shown() -> bool:
            text = metrics.text().decode()
            return all(one in text for one in samples) and not (absent and absent in text)

        await self.until(
            shown, lambda: f"not {samples} without {absent!r} in:\n{metrics.text().decode()}"
        )

    async def until(
        self,
        holds: Callable[[], Any],
        explain: Callable[[], str] = lambda: "did not come true",
        *,
        within: float = WITHIN,
    ) -> None:
        """Poll a condition, plain or asynchronous, until it holds."""
        deadline = time.monotonic() + within
        while True:
            answer = holds()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return
            assert time.monotonic() < deadline, explain()
            await asyncio.sleep(POLL)
