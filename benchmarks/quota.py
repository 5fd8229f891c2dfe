"""What of Graph's published quotas the push scheduler uses, in simulated time.

First syncs of four hubs into many mailboxes: the product's own lanes, outbox, batches and throttle,
against the simulator's own limits; in place of the wire stands a clock. Nothing is stored, mapped
or encoded, and the processor counts for nothing: what one process really gets out is `fanout`'s to
say.

The permitted rate, in requests a second, of M mailboxes that one application writes to:

    min(M x min(10,000 / 600 s, 4 / mean time of a request), 130,000 / 10 s)

(https://learn.microsoft.com/graph/throttling-limits). The share is what was let in within whole
windows, by what this allows.

How long a request takes is assumed, as nobody publishes it: lognormal, median 100 ms, one in a
hundred longer than 500 ms; each way through the network takes 20 ms, one in a hundred 60 ms.

    python benchmarks/quota.py [--size MxCxS] [--full]
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from statistics import quantiles
from typing import NamedTuple

import looptime
import msgspec

from cirahub_simulator.clock import Clock
from cirahub_simulator.directory import Principal
from cirahub_simulator.switches import Switches
from cirahub_simulator.throttle import BATCH_WAVE, Throttle
from cirahub_simulator.wire import Request, Response
from cirahub_sync.configuration import ClientSecretAuth, ConnectionConfig, SecretFile
from cirahub_sync.endpoints.base import Create, Operation, Outcome, Result
from cirahub_sync.endpoints.graph.answers import Answer
from cirahub_sync.endpoints.graph.letters import head, part
from cirahub_sync.endpoints.graph.outbox import Chunk, Outbox
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.engine.deliver import TRIES
from cirahub_sync.engine.errands import CONCURRENT_RECEIVERS, MOST_RECEIVERS, chunk_of
from cirahub_sync.engine.lanes import each
from cirahub_sync.errors import ThrottledError
from cirahub_sync.identity.base import AccessToken
from cirahub_sync.origins import Origins
from cirahub_sync.throttle import IN_FLIGHT
from figures import Figures, options

HUBS = 4
INTERVAL = 300.0
"""Seconds between two passes of a hub, as by default."""
OURS = Principal("tenant", "ours", frozenset())
OTHERS = Principal("tenant", "another", frozenset())
OFTEN = 60.0
"""Seconds between two requests of another application to one mailbox, on average."""
URGENT = 400
"""Urgent changes in a round, of each kind, but for what would be more than 20 a second."""
SMALL_HUB = 20
"""Mailboxes of the hub that has them."""
ELSEWHERE = "to another mailbox"
THERE = "to one that is filled"


class Size(NamedTuple):
    mailboxes: int
    contacts: int
    """To each of them: more in all than the round lets in."""
    seconds: float
    """Of the round, simulated: a multiple of the windows that bind."""
    in_all_readings: bool = True


USUAL = [
    Size(1, 100_000, 3600.0),
    Size(100, 20_000, 600.0, in_all_readings=False),
    Size(10_000, 1_000, 20.0),
    Size(100_000, 100, 20.0, in_all_readings=False),
]


class Reading(NamedTuple):
    """Of what the documentation leaves open of four requests at a time."""

    switches: Switches
    others: bool = False
    """Whether another application uses the mailboxes, too."""


READINGS = {
    "": Reading(Switches()),
    "a batch is one": Reading(Switches(batch_concurrency="one")),
    "shared with others": Reading(Switches(concurrency_per="mailbox"), others=True),
}


class Lognormal:
    """Of a median and what one in a hundred exceeds, in seconds."""

    def __init__(self, median: float, p99: float, seed: int) -> None:
        self._mu = math.log(median)
        self._sigma = math.log(p99 / median) / 2.3263
        self._random = random.Random(seed)

    def draw(self) -> float:
        return self._random.lognormvariate(self._mu, self._sigma)

    @property
    def mean(self) -> float:
        return math.exp(self._mu + self._sigma**2 / 2)


class LoopClock(Clock):
    """The simulator's, by the loop's time."""

    def time(self) -> float:
        return asyncio.get_running_loop().time()


class _Part(msgspec.Struct):
    id: str
    url: str
    body: msgspec.Raw


class _Batch(msgspec.Struct):
    requests: list[_Part]


_BATCH = msgspec.json.Decoder(_Batch)


class Wire:
    """Graph behind a network, but for what it keeps: it admits, takes its time and answers."""

    def __init__(self, reading: Reading) -> None:
        self._switches = reading.switches
        self._throttle = Throttle(LoopClock())
        self._connections = asyncio.Semaphore(IN_FLIGHT)
        self._way = Lognormal(0.02, 0.06, 1)
        self._work = Lognormal(0.1, 0.5, 2)
        self.admitted: Counter[str] = Counter()
        """By mailbox."""
        self.refused = 0

    def permitted(self, mailboxes: int) -> float:
        """Requests a second to as many of them."""
        a_mailbox = min(10_000 / 600, 4 / self._work.mean)
        return min(mailboxes * a_mailbox, 130_000 / 10)

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The session's `Transport`."""
        async with self._connections:
            await asyncio.sleep(self._way.draw())
            parts = _BATCH.decode(body).requests
            mailbox = parts[0].url.split("/")[2]
            with self._in_flight():
                answers = [self._admit(one, mailbox) for one in parts]
                self._throttle.handled()
                accepted = sum(answer is None for answer in answers)
                self.admitted[mailbox] += accepted
                self.refused += len(parts) - accepted
                await asyncio.sleep(self._taken(accepted))
            await asyncio.sleep(self._way.draw())
        told = b",".join(_told(one, answer) for one, answer in zip(parts, answers, strict=True))
        return 200, {}, b'{"responses":[' + told + b"]}"

    async def of_another(self, mailbox: str) -> None:
        """A request of another application."""
        with self._in_flight():
            asked = Request(method="GET", path="/", client=OTHERS)
            self._throttle.admit(self._switches, asked, mailbox)
            self._throttle.handled()
            await asyncio.sleep(self._work.draw())

    @contextmanager
    def _in_flight(self) -> Iterator[None]:
        flight = self._throttle.begin()
        try:
            yield
        finally:
            self._throttle.end(flight)

    def _admit(self, one: _Part, mailbox: str) -> Response | None:
        asked = Request(method="POST", path=one.url, body=bytes(one.body), client=OURS)
        return self._throttle.admit(self._switches, asked, mailbox)

    def _taken(self, requests: int) -> float:
        """Seconds until the last of so many is done, four at a time."""
        ends = [0.0] * BATCH_WAVE
        for _ in range(requests):
            heapq.heapreplace(ends, ends[0] + self._work.draw())
        return max(ends)


def _told(one: _Part, refusal: Response | None) -> bytes:
    if refusal is None:
        return b'{"id":"' + one.id.encode() + b'","status":201,"headers":{},"body":{}}'
    return msgspec.json.encode(
        {
            "id": one.id,
            "status": refusal.status,
            "headers": refusal.headers,
            "body": msgspec.Raw(refusal.body),
        }
    )


class Letters:
    """Of contacts, ready-made."""

    def __init__(self, mailbox: str) -> None:
        self._head = head("POST", f"/users/{mailbox}/contacts")

    async def screened(self, chunk: Chunk) -> tuple[Chunk, Sequence[Outcome]]:
        return chunk, ()

    def request(self, at: int, operation: Operation) -> bytes:
        assert isinstance(operation, Create)
        return part(at, self._head, operation.body)

    def done(self, index: int, operation: Operation, answer: Answer) -> Outcome:
        return Outcome(index=index, result=Result.DONE)

    async def settled(self, chunk: Chunk, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        return outcomes


CONTACT = Create(key="a/b/c/d/e", body=b'{"personalNotes":"%s"}' % (b"x" * 700))
"""As long as they usually are."""


def _fence(seconds: float) -> None:
    """The lease is never lost."""


class Tokens:
    """Always at hand."""

    async def token(self, scope: str) -> AccessToken:
        return AccessToken("token", math.inf)

    async def invalidate(self) -> None:
        raise AssertionError("no token was refused")

    async def close(self) -> None: ...


@dataclass(slots=True)
class Receiver:
    """What `engine.deliver` does at a mailbox, without what it writes down."""

    mailbox: str
    outbox: Outbox
    left: int
    chunk: int

    async def deliver(self) -> None:
        with suppress(ThrottledError):  # told of, and gone on with in the next pass
            while self.left:
                await self._send(min(self.left, self.chunk))

    async def _send(self, size: int) -> None:
        acting = size
        for _ in range(TRIES):
            if not acting:
                return
            again = 0
            async with aclosing(self.outbox.push([CONTACT] * acting)) as sent:
                async for outcomes in sent:
                    done = sum(outcome.result is Result.DONE for outcome in outcomes)
                    self.left -= done
                    again += len(outcomes) - done
            acting = again


@dataclass
class Round:
    """Of one size and reading."""

    size: Size
    reading: Reading
    wire: Wire
    session: GraphSession
    delays: dict[str, list[float]] = field(default_factory=dict)
    """Of urgent changes, in seconds, by where they went."""
    filling: dict[str, None] = field(default_factory=dict)
    """Mailboxes that the hubs send to."""

    async def play(self) -> dict[str, float]:
        """Its figures."""
        hubs = [list(range(first, self.size.mailboxes, HUBS)) for first in range(HUBS)]
        work = [asyncio.create_task(self._hub(numbers)) for numbers in hubs if numbers]
        work.append(asyncio.create_task(self._urgent(ELSEWHERE)))
        work.append(asyncio.create_task(self._urgent(THERE)))
        if self.reading.others:
            work.append(asyncio.create_task(self._others()))
        with suppress(TimeoutError):
            async with asyncio.timeout(self.size.seconds):
                await asyncio.gather(*work)
        admitted = self.wire.admitted
        by_hub = [sum(admitted[_name(number)] for number in numbers) for numbers in hubs]
        answers = sum(admitted.values()) + self.wire.refused
        figures = {
            "share of the permitted rate": sum(by_hub)
            / (self.wire.permitted(self.size.mailboxes) * self.size.seconds),
            "429s of all answers": self.wire.refused / answers,
        }
        if self.size.mailboxes >= HUBS:
            figures["the hub that got least / most"] = min(by_hub) / max(by_hub)
        for where, seconds in self.delays.items():
            percents = quantiles(seconds, n=100)
            figures[f"urgent change {where}, p50, s"] = percents[49]
            figures[f"urgent change {where}, p99, s"] = percents[98]
        return figures

    async def _hub(self, numbers: Sequence[int]) -> None:
        """Pass after pass."""
        receivers = [
            self._receiver(_name(number), self.size.contacts, len(numbers)) for number in numbers
        ]
        loop = asyncio.get_running_loop()

        async def deliver(receiver: Receiver) -> None:
            self.filling[receiver.mailbox] = None
            await receiver.deliver()
            del self.filling[receiver.mailbox]

        while receivers:
            next_pass = loop.time() + INTERVAL
            await each(receivers, deliver, lanes=CONCURRENT_RECEIVERS, most=MOST_RECEIVERS)
            receivers = [one for one in receivers if one.left]
            if receivers:
                await asyncio.sleep(next_pass - loop.time())
        raise SystemExit("a hub had nothing left to send: give each mailbox more contacts")

    async def _urgent(self, where: str) -> None:
        """One change after the other, in mailboxes of another hub."""
        chance = random.Random(3)
        delays = self.delays[where] = []
        pause = max(self.size.seconds / URGENT, 0.05)
        loop = asyncio.get_running_loop()

        async def change(mailbox: str) -> None:
            began = loop.time()
            await self._receiver(mailbox, 1, SMALL_HUB).deliver()
            delays.append(loop.time() - began)

        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(chance.expovariate(1 / pause))
                others = [f"small{number}@bench.example" for number in range(SMALL_HUB)]
                mailboxes = others if where == ELSEWHERE else list(self.filling)
                if mailboxes:
                    group.create_task(change(chance.choice(mailboxes)))

    async def _others(self) -> None:
        chance = random.Random(4)
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(chance.expovariate(self.size.mailboxes / OFTEN))
                mailbox = _name(chance.randrange(self.size.mailboxes))
                group.create_task(self.wire.of_another(mailbox))

    def _receiver(self, mailbox: str, contacts: int, receivers: int) -> Receiver:
        """In a hub with so many of them."""
        letters = Letters(mailbox)
        outbox = Outbox(self.session, mailbox, letters, _fence, what=mailbox, role="none")
        return Receiver(mailbox, outbox, contacts, chunk_of(receivers))


def _name(number: int) -> str:
    return f"m{number}@bench.example"


async def _played(size: Size, reading: Reading) -> dict[str, float]:
    wire = Wire(reading)
    auth = ClientSecretAuth("tenant", "ours", secret=SecretFile("none"))
    connection = ConnectionConfig("c", "bench/c", auth)
    async with GraphSession(connection, Tokens(), Origins(), transport=wire.send) as session:
        return await Round(size, reading, wire, session).play()


def measure(size: Size, reading: Reading) -> dict[str, float]:
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(noop_cycles=0)) as runner:
        return runner.run(_played(size, reading))


def size(text: str) -> Size:
    mailboxes, contacts, seconds = text.split("x")
    return Size(int(mailboxes), int(contacts), float(seconds))


def main() -> None:
    parser = options(__doc__ or "")
    parser.add_argument(
        "--size",
        type=size,
        action="append",
        metavar="MxCxS",
        help="mailboxes, contacts to each and simulated seconds; may be repeated (default: "
        "1, 100, 10,000 and 100,000 mailboxes)",
    )
    parser.add_argument("--full", action="store_true", help="each reading at each size")
    asked = parser.parse_args()
    found = Figures("quota", asked)
    for one in asked.size or USUAL:
        for name, reading in READINGS.items():
            if name and not (one.in_all_readings or asked.full):
                continue
            prefix = f"{one.mailboxes:,}, {name}: " if name else f"{one.mailboxes:,}: "
            found.rounds([measure(one, reading)], prefix=prefix)
    found.write()


if __name__ == "__main__":
    main()
