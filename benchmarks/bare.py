"""Bare batches: what the wire allows, and nothing kept."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from itertools import islice
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import aiohttp
import msgspec

from cirahub_simulator.process import SimulatorProcess
from cirahub_sync.throttle import IN_FLIGHT

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
SECRET = "benchmark"
BATCH = 20
JSON = {"Content-Type": "application/json"}
CONCURRENT = 4
CONNECTIONS = IN_FLIGHT
"""At most, as ours."""


def contact(number: int) -> dict[str, object]:
    return {
        "displayName": f"Person {number}",
        "givenName": "Person",
        "surname": str(number),
        "companyName": "Example Ltd",
        "jobTitle": "Baker",
        "businessPhones": [f"+1 425 555 {number:04d}"],
        "mobilePhone": f"+1 206 555 {number:04d}",
        "emailAddresses": [{"address": f"p{number}@example.org", "name": f"Person {number}"}],
        "businessAddress": {"street": "1 Main St", "city": "Everett", "state": "WA"},
        "personalNotes": "A note of ordinary length about this person.",
    }


def token(simulator: SimulatorProcess) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "scope": "https://graph.microsoft.com/.default",
    }
    request = Request(  # the simulator's own origin
        f"{simulator.endpoints.entra}/{TENANT}/oauth2/v2.0/token", urlencode(form).encode()
    )
    trust = ssl.create_default_context(cafile=simulator.endpoints.ca_file)
    with urlopen(request, context=trust) as answer:
        return str(msgspec.json.decode(answer.read())["access_token"])


class _Made(msgspec.Struct, frozen=True, gc=False):
    """A contact, as far as it takes to write to it; both blank of what was refused."""

    id: str = ""
    etag: str = msgspec.field(name="@odata.etag", default="")


class _Part(msgspec.Struct, frozen=True, gc=False):
    id: str
    status: int
    body: _Made


class _Batch(msgspec.Struct, frozen=True, gc=False):
    responses: list[_Part]


_ANSWERED = msgspec.json.Decoder(_Batch)


class Bare:
    """Ready-made batches, so many at a time into each mailbox, and nothing kept but ids."""

    def __init__(self, simulator: SimulatorProcess, mailboxes: Sequence[str]) -> None:
        self._simulator = simulator
        self._mailboxes = mailboxes
        self.cpu = 0.0
        """Seconds of the processor that sending took the last time, here alone."""
        self._made: dict[str, list[_Made]] = {}
        """Each contact, by mailbox, in the order of numbers."""

    async def create(self, contacts: int) -> float:
        """Seconds for these contacts, in each mailbox; `cpu` has those of the processor."""

        def requests(mailbox: str) -> Iterator[dict[str, object]]:
            for number in range(contacts):
                yield {
                    "method": "POST",
                    "url": f"/users/{mailbox}/contacts",
                    "body": {**contact(number), "singleValueExtendedProperties": [stamp(number)]},
                }

        seconds, self._made = await self._send({one: requests(one) for one in self._mailboxes})
        return seconds

    async def change(self, numbers: Sequence[int], title: str) -> float:
        """Seconds for another job title of these contacts, in each mailbox."""

        def requests(mailbox: str) -> Iterator[dict[str, object]]:
            for number in numbers:
                made = self._made[mailbox][number]
                yield {
                    "method": "PATCH",
                    "url": f"/users/{mailbox}/contacts/{made.id}",
                    "headers": {**JSON, "If-Match": made.etag},
                    "body": {"jobTitle": title},
                }

        seconds, answers = await self._send({one: requests(one) for one in self._mailboxes})
        for mailbox, changed in answers.items():
            for number, one in zip(numbers, changed, strict=True):
                self._made[mailbox][number] = one
        return seconds

    def session(self) -> aiohttp.ClientSession:
        headers = {
            **JSON,
            "Authorization": f"Bearer {token(self._simulator)}",
            "Prefer": 'IdType="ImmutableId"',
        }
        trust = ssl.create_default_context(cafile=self._simulator.endpoints.ca_file)
        connector = aiohttp.TCPConnector(ssl=trust, limit=CONNECTIONS)
        return aiohttp.ClientSession(headers=headers, connector=connector)

    def _connected(self) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
        return self.session()

    def leaving(self, mailbox: str) -> None:
        """Asked before each batch."""

    def answered(self, mailbox: str, body: bytes) -> None:
        """Told of each answer."""

    def ended(self, mailbox: str) -> None:
        """Told when there are no more."""

    async def _send(
        self, wanted: Mapping[str, Iterator[dict[str, object]]]
    ) -> tuple[float, dict[str, list[_Made]]]:
        """Seconds, and what was answered, in the order of requests; encoded before, read
        afterwards."""
        waiting = {mailbox: deque(_batches(requests)) for mailbox, requests in wanted.items()}
        answers: dict[str, list[bytes]] = {mailbox: [] for mailbox in waiting}
        url = f"{self._simulator.endpoints.graph}/v1.0/$batch"
        async with self._connected() as session:

            async def send(mailbox: str) -> None:
                while waiting[mailbox]:
                    body = waiting[mailbox].popleft()
                    self.leaving(mailbox)
                    async with session.post(url, data=body) as answer:
                        answers[mailbox].append(await answer.read())
                        answer.raise_for_status()
                    self.answered(mailbox, answers[mailbox][-1])

            began, cpu = time.perf_counter(), time.process_time()
            async with asyncio.TaskGroup() as group:
                for mailbox in waiting:
                    for _ in range(CONCURRENT):
                        group.create_task(send(mailbox))
            for mailbox in waiting:
                self.ended(mailbox)
            seconds = time.perf_counter() - began
            self.cpu = time.process_time() - cpu
        return seconds, {mailbox: _responses(answers.pop(mailbox)) for mailbox in waiting}


def stamp(number: int) -> dict[str, str]:
    """As long as ours."""
    return {
        "id": "String {6a2d3f6e-0b7c-4a6e-9d3e-0c5b8f1a2b3c} Name CiraHubItem",
        "value": f"benchmark/h/{number:032x}/m0@bench.example/1",
    }


def _batches(requests: Iterator[dict[str, object]]) -> Iterator[bytes]:
    numbered = (
        {"id": str(number), "headers": JSON, **request} for number, request in enumerate(requests)
    )
    while some := list(islice(numbered, BATCH)):
        yield msgspec.json.encode({"requests": some})


def _responses(bodies: Sequence[bytes]) -> list[_Made]:
    found = [one for body in bodies for one in _ANSWERED.decode(body).responses]
    wrong = [one for one in found if one.status >= HTTPStatus.BAD_REQUEST]
    if wrong:
        raise SystemExit(f"{len(wrong)} of the bare requests failed, the first: {wrong[0].status}")
    return [one.body for one in sorted(found, key=lambda one: int(one.id))]
