"""A namespace with a hub and two mailboxes, in a tenant of its own: what a situation befalls."""

from __future__ import annotations

import base64
import re
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import yaml
from tests.operator.stage import Manifest, Stage, connection, hub, spoke
from tests.rbac.conftest import Office

from cirahub_simulator.client import AdminClient
from cirahub_sync.origins import Origins
from cluster import Cluster

from .process import OperatorProcess
from .running import Clock, Running, Start
from .situation import Said, Sample, Seen, condition_sample

NAME = "Zacharias"
"""Of everybody in the mailboxes: it must not be seen anywhere else."""
PEOPLE = 6
PATIENCE = 120.0
"""Seconds."""
ACCOUNT = "sync"
TOKEN = re.compile(r"(?<![\w-])eyJ")
"""Where a JSON Web Token begins. The id of a folder may have these letters further in."""
SECRET = "graph"
KEY = "client-secret"
Records = Iterable[Mapping[str, object]]
"""What the simulator is seeded with."""
Shown = list[tuple[str, str]]
"""Who is in a place, and all that is there of them."""


@dataclass(frozen=True)
class Event:
    kind: str
    name: str
    type: str
    reason: str
    note: str


class Town:
    def __init__(self, plane: Cluster, situation: str, admin: AdminClient) -> None:
        tag = secrets.token_hex(3)
        self.namespace = f"{situation}-{tag}"
        self.stage = Stage(plane, self.namespace)
        self.admin = admin
        self.clock = Clock()
        """The engine's, if the situation has an operator of its own."""
        self.domain = f"{tag}.example"
        self.tenant = str(uuid.uuid4())
        self.publisher = str(uuid.uuid4())
        """The tenant in which the application is registered."""
        self.client = str(uuid.uuid4())
        """The application that reads and writes mailboxes."""
        self.reader = str(uuid.uuid4())
        """The application that may open the vault."""
        self.vault = f"kv-{tag}"
        self.foreign_vault = f"kv-{tag}-foreign"
        """In the publisher's tenant."""
        self.secret = f"s3cr3t-{secrets.token_hex(8)}"
        self.mailboxes = {name: str(uuid.uuid4()) for name in ("ann", "bob")}
        """User ids by the Spoke's name."""
        self.places: dict[str, Callable[[], Shown]] = {
            name: partial(self._shown, name) for name in self.mailboxes
        }
        """What is looked at for whether anything changed there."""
        self._before: dict[str, Shown] = {}
        self.operator: Running | OperatorProcess
        """Set as soon as one serves this town."""
        self.origins: Origins
        """Where the simulator is."""
        self.office: Office
        """The operator's, if it signs in with an account of its own."""
        self._cleanups: list[Callable[[], object]] = []
        self.start: Start
        """How to start an operator for this town alone, if the situation has one of its own."""

    def at_the_end(self, cleanup: Callable[[], object]) -> None:
        """Have it done when the situation is over, whatever becomes of it."""
        self._cleanups.append(cleanup)

    def clean_up(self) -> None:
        while self._cleanups:
            self._cleanups.pop()()

    @property
    def subject(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{ACCOUNT}"

    def address(self, name: str) -> str:
        return f"mailbox-of-{name}@{self.domain}"

    def records(self) -> Iterator[Mapping[str, object]]:
        """What the simulator is seeded with."""
        federated = [{"issuer": "cluster", "subject": self.subject}]
        yield {
            "kind": "tenant",
            "id": self.tenant,
            "domain": self.domain,
            "displayName": "Contoso",
        }
        yield {
            "kind": "tenant",
            "id": self.publisher,
            "domain": f"publisher.{self.domain}",
            "displayName": "Publisher",
        }
        yield {
            "kind": "application",
            "clientId": self.client,
            "displayName": "cirahub",
            "homeTenant": self.publisher,
            "secrets": [{"value": self.secret, "name": "current"}],
            "federated": federated,
            "requested": ["Contacts.ReadWrite", "User.Read.All"],
            "granted": {self.tenant: ["Contacts.ReadWrite", "User.Read.All"]},
        }
        yield {
            "kind": "application",
            "clientId": self.reader,
            "displayName": "cirahub vault reader",
            "homeTenant": self.tenant,
            "federated": federated,
            "granted": {self.tenant: []},
        }
        yield {
            "kind": "vault",
            "name": self.vault,
            "tenant": self.tenant,
            "access": {self.reader: ["get"]},
        }
        yield {
            "kind": "vault",
            "name": self.foreign_vault,
            "tenant": self.publisher,
            "access": {self.reader: ["get"]},
        }
        yield {"kind": "secret", "vault": self.vault, "name": SECRET, "value": self.secret}
        for name, user in self.mailboxes.items():
            yield {
                "kind": "user",
                "id": user,
                "tenant": self.tenant,
                "userPrincipalName": self.address(name),
                "displayName": NAME,
            }
        for number in range(PEOPLE):
            yield {
                "kind": "contact",
                "mailbox": self.mailboxes["ann"],
                "contact": self.person(number),
            }

    def person(self, number: int) -> dict[str, object]:
        address = f"person{number}@{self.domain}"
        return {
            "displayName": f"{NAME} {number}",
            "givenName": NAME,
            "surname": str(number),
            "emailAddresses": [{"address": address, "name": NAME}],
        }

    def surroundings(self) -> Iterator[Manifest]:
        """What is in the namespace before anything of ours."""
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        yield self.account()
        yield self.kubernetes_secret(self.secret)

    def account(self, **annotations: str) -> Manifest:
        """The ServiceAccount, which has opted in unless told otherwise."""
        return {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": ACCOUNT,
                "namespace": self.namespace,
                "annotations": annotations or {"cirahub.io/allow-token-requests": "true"},
            },
        }

    def kubernetes_secret(self, value: str | bytes) -> Manifest:
        data = value if isinstance(value, bytes) else value.encode()
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET, "namespace": self.namespace},
            "data": {KEY: base64.b64encode(data).decode()},
        }

    # Manifests

    def federated(self, **more: object) -> Manifest:
        """A Connection without a secret."""
        return self._connection(
            {"workloadIdentity": {"clientID": self.client, "serviceAccountName": ACCOUNT} | more}
        )

    def vaulted(self, *, name: str = SECRET, vault: str | None = None) -> Manifest:
        """A Connection whose client secret is in the vault."""
        return self._connection(
            {
                "clientSecret": {
                    "clientID": self.client,
                    "keyVault": {
                        "vaultURL": f"https://{vault or self.vault}.vault.azure.net",
                        "name": name,
                    },
                    "workloadIdentity": {
                        "clientID": self.reader,
                        "serviceAccountName": ACCOUNT,
                    },
                }
            }
        )

    def with_secret(self, *, name: str = SECRET, key: str = KEY) -> Manifest:
        """A Connection whose client secret is in a Kubernetes Secret."""
        return self._connection(
            {"clientSecret": {"clientID": self.client, "secretRef": {"name": name, "key": key}}}
        )

    def _connection(self, auth: object) -> Manifest:
        return connection(microsoft365={"tenantID": self.tenant}, auth=auth)

    def hub(self, **spec: object) -> Manifest:
        usual = {"interval": "5s", "deletion": {"gracePeriod": "0s"}}
        return hub("staff", **(usual | spec))

    def spoke(self, name: str, **spec: object) -> Manifest:
        return spoke(name, **({"mailbox": {"address": self.address(name)}} | spec))

    def ann(self, **spec: object) -> Manifest:
        """She contributes."""
        return self.spoke("ann", **spec)

    def bob(self, **spec: object) -> Manifest:
        """He receives."""
        return self.spoke("bob", **{"direction": "Receive", **spec})

    async def well(self, *manifests: Manifest, people: int = PEOPLE) -> None:
        """All is set up and in sync: what follows befalls something that worked. `manifests`
        stand in for the usual ones of the same kind and name."""
        usual = [self.federated(), self.hub(), self.ann(), self.bob()]
        chosen = {(one["kind"], one["metadata"]["name"]): one for one in [*usual, *manifests]}
        await self.stage.apply(*chosen.values())
        await self.in_sync(people)

    async def in_sync(self, people: int = PEOPLE) -> None:
        """What was applied is, and Bob has got so many people."""
        await self.comes(Seen(kind="Hub", name="staff", status="True", reason="Synced"))
        await self.until(lambda: len(self.places["bob"]()) >= people, lambda: "bob got nothing")
        self.remember()

    # What is there

    def remember(self) -> None:
        """What is in all places now."""
        self._before = {name: shown() for name, shown in self.places.items()}

    def assert_untouched(self, *places: str) -> None:
        for name in places:
            assert self.places[name]() == self._before[name], f"something changed in {name}"

    async def until_equal(self, *places: str) -> None:
        """Wait until they show the same people."""

        def people() -> list[list[str]]:
            return [[who for who, _ in self.places[name]()] for name in places]

        await self.until(
            lambda: all(one == people()[0] for one in people()),
            lambda: f"of {places}, each has {[len(one) for one in people()]}",
        )

    def _shown(self, name: str) -> Shown:
        return shown(self.held(name))

    def held(self, name: str) -> list[dict[str, Any]]:
        """Contacts in a mailbox."""
        return [each["contact"] for each in self.admin.contacts(self.mailboxes[name])]

    async def comes(self, seen: Seen) -> Manifest:
        """Wait for a condition of the object's present generation; the condition."""
        last: list[object] = []

        async def there() -> Manifest | None:
            found = await self.stage.get(seen.kind, seen.name) or {}
            conditions = found.get("status", {}).get("conditions", [])
            last[:] = conditions or ["no conditions"]
            for one in conditions:
                if (one["type"], one["status"], one["reason"]) == (
                    seen.type,
                    seen.status,
                    seen.reason,
                ) and one["observedGeneration"] == found["metadata"]["generation"]:
                    return dict(one)
            return None

        found: list[Manifest] = []

        async def got() -> bool:
            one = await there()
            found[:] = [] if one is None else [one]
            return one is not None

        await self.until(got, lambda: f"waited for {seen}, and there is {last}")
        return found[0]

    async def loses(self, seen: Seen) -> None:
        """Wait until the object and the metrics have the condition no more."""

        async def gone() -> bool:
            found = await self.stage.get(seen.kind, seen.name) or {}
            conditions = found.get("status", {}).get("conditions", [])
            return seen.type not in {one["type"] for one in conditions}

        await self.until(gone, lambda: f"{seen.type} of {seen.kind} {seen.name} stays")
        sample = condition_sample(seen)
        await self.until(lambda: not self.value(sample), lambda: f"{sample} stays")

    async def objects(self) -> dict[tuple[str, str], Manifest]:
        """All of ours, by kind and name."""
        return await self.stage.objects()

    async def events(self) -> list[Event]:
        return [
            Event(
                one["regarding"]["kind"],
                one["regarding"]["name"],
                one["type"],
                one["reason"],
                one.get("note", ""),
            )
            for one in await self.stage.events()
        ]

    async def said(self, said: Said, log: Callable[[], str]) -> str:
        """Wait for a line of the log."""
        found: list[str] = []

        def there() -> bool:
            lines = (one for one in log().splitlines() if said.words in one)
            found[:] = [one for one in lines if said.level.lower() in one.lower()]
            return bool(found)

        await self.until(there, lambda: f"nobody says {said.words!r}: {log()[-2000:]}")
        return found[0]

    async def told(self, kind: str, name: str, type_: str, reason: str) -> Event:
        """Wait for an event about an object."""
        all_: list[Event] = []
        found: list[Event] = []

        async def there() -> bool:
            all_[:] = await self.events()
            found[:] = [
                one
                for one in all_
                if (one.kind, one.name, one.type, one.reason) == (kind, name, type_, reason)
            ]
            return bool(found)

        await self.until(there, lambda: f"no event {type_} {reason} of {kind} {name}, but {all_}")
        return found[0]

    def value(self, sample: Sample) -> float | None:
        """Of the metric, if there is one."""
        wanted = dict(sample.labels)
        if not sample.everywhere:
            wanted["namespace"] = self.namespace
        for name, labels, value in self.operator.samples():
            if name == sample.metric and wanted.items() <= labels.items():
                return value
        return None

    async def measured(self, sample: Sample) -> None:
        """Wait for a value among the metrics."""
        last: list[float | None] = []

        def there() -> bool:
            last[:] = [self.value(sample)]
            found = last[0]
            return found is not None and (
                found >= sample.value if sample.at_least else found == sample.value
            )

        await self.until(there, lambda: f"{sample} is {last}")

    async def until(self, holds: Callable[[], Any], explain: Callable[[], str]) -> None:
        """Poll a condition, plain or asynchronous, until it holds. Patiently: situations wait for
        retries, and machines are busy."""
        await self.stage.until(holds, explain, within=PATIENCE)

    async def assert_discreet(self, log: str) -> None:
        """No personal data and no secret in statuses, events, metrics or the log."""
        self.assert_discreet_itself(log)
        objects = [one.get("status") for one in (await self.objects()).values()]
        shown = yaml.safe_dump(objects) + repr(await self.events())
        self._assert_nothing_private(shown, "status or event")
        for known in ("@", "Traceback"):
            assert known not in shown, f"{known!r} in a status or event"

    def assert_discreet_itself(self, log: str) -> None:
        """The same of what the operator shows without the cluster."""
        self._assert_nothing_private(repr(self.operator.samples()), "metric")
        self._assert_nothing_private(log, "log")

    def _assert_nothing_private(self, text: str, where: str) -> None:
        for private in (NAME, self.domain, "mailbox-of", self.secret):
            assert private not in text, f"{private!r} in a {where}"
        assert not TOKEN.search(text), f"a token in a {where}"


def matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def shown(contacts: Iterable[Mapping[str, object]]) -> Shown:
    """Of contacts as Graph writes them."""
    return sorted((str(one.get("surname")), repr(one)) for one in contacts)
