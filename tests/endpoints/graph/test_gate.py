"""The last moment before a write leaves: what comes before it, and that a no holds it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from tests.endpoints.contract.place import creates, key, push_all
from tests.endpoints.contract.samples import CONTACTS

from cirahub_sync.configuration import MailboxTarget
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.gate import Gate, guarded, last_moment
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import LeaseLostError
from cirahub_sync.identity.base import AccessToken

from .conftest import FOLDER, Cloud, open_fence


class Guard:
    """A fence that says no from the given question on, and remembers what it was asked."""

    def __init__(self, *, refuse_from: float = float("inf")) -> None:
        self.asked: list[float] = []
        self.refuse_from = refuse_from

    def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        if len(self.asked) >= self.refuse_from:
            raise LeaseLostError("no longer ours")


def guarded_endpoint(session: GraphSession, fence: Fence) -> GraphEndpoint:
    target = MailboxTarget("ada@contoso.example", FOLDER)
    return GraphEndpoint(session, target, fence)


def sent(cloud: Cloud) -> list[str]:
    """Requests that reached Graph and were more than reads."""
    return [
        entry.path
        for entry in cloud.world.journal.entries()
        if entry.service == "graph" and entry.method != "GET" and entry.batch is None
    ]


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, bytearray, asyncio.Event]]:
    """A server that never answers: its address, what it received, and whether somebody came."""
    received, came = bytearray(), asyncio.Event()
    left: list[asyncio.Event] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = asyncio.Event()
        left.append(gone)
        came.set()
        while chunk := await reader.read(4096):
            received.extend(chunk)
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", received, came
    finally:
        for each in left:
            await each.wait()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("body", [None, b"x", b"x" * 3_000, b"x" * 900_000])
async def test_not_one_byte_leaves_after_a_no(body: bytes | None) -> None:
    guard = Guard(refuse_from=1)
    gate = Gate(guard, 40.0)
    async with (
        listening() as (address, received, came),
        aiohttp.ClientSession(trace_configs=[last_moment()]) as session,
    ):
        with pytest.raises((LeaseLostError, aiohttp.ClientError)), guarded(gate):
            async with asyncio.timeout(30):
                await session.request("POST", address, data=body)
        await came.wait()  # the connection was made, so nothing else was in the way
        await asyncio.sleep(0.1)
        assert received == b""
    assert isinstance(gate.refusal, LeaseLostError)


async def test_with_a_yes_the_same_request_leaves() -> None:
    gate = Gate(Guard(), 40.0)
    async with (
        listening() as (address, received, _),
        aiohttp.ClientSession(trace_configs=[last_moment()]) as session,
    ):
        with pytest.raises(TimeoutError), guarded(gate):
            async with asyncio.timeout(0.5):
                await session.request("POST", address, data=b"hello")
        assert received.endswith(b"hello")
    assert gate.refusal is None


async def test_a_batch_that_is_refused_is_told_as_such_and_reads_go_on(
    cloud: Cloud, session: GraphSession, endpoint: GraphEndpoint
) -> None:
    fenced = guarded_endpoint(session, Guard(refuse_from=1))
    await fenced.open(create=True)
    before = sent(cloud)
    with pytest.raises(LeaseLostError, match="no longer ours"):
        await push_all(fenced, creates(fenced, CONTACTS, 45))
    assert sent(cloud) == before
    assert await fenced.find([key(1)]) == {key(1): []}
    assert cloud.held(FOLDER) == []


async def test_a_folder_is_not_made_after_a_no(cloud: Cloud, session: GraphSession) -> None:
    fenced = guarded_endpoint(session, Guard(refuse_from=1))
    with pytest.raises(LeaseLostError):
        await fenced.open(create=True)
    assert sent(cloud) == []


async def test_who_is_asked_is_told_how_long_the_write_may_take(cloud: Cloud) -> None:
    guard = Guard()
    async with cloud.session(Patience(write=7.5)) as session:
        fenced = guarded_endpoint(session, guard)
        await fenced.open(create=True)
        await push_all(fenced, creates(fenced, CONTACTS, 1))
    assert set(guard.asked) == {7.5}


async def test_every_wait_comes_before_the_question(cloud: Cloud, session: GraphSession) -> None:
    """The throttle's, and sign-in's: each would be longer than a lease."""
    await guarded_endpoint(session, open_fence).open(create=True)
    happened: list[str] = []
    at: list[float] = []
    really = cloud.tokens.token

    async def slowly(scope: str) -> AccessToken:
        happened.append("sign-in")
        await asyncio.sleep(0.05)
        happened.append("signed in")
        return await really(scope)

    def fence(_seconds: float) -> None:
        happened.append("asked")
        at.append(asyncio.get_running_loop().time())

    cloud.tokens.token = slowly  # type: ignore[method-assign]
    fenced = guarded_endpoint(session, fence)
    session.throttle.refused((await fenced.open(create=False)).mailbox, 0.3)
    happened.clear()
    at.clear()
    began = asyncio.get_running_loop().time()
    assert len(await push_all(fenced, creates(fenced, CONTACTS, 1))) == 1
    assert at[0] - began >= 0.3
    assert happened[:2] == ["sign-in", "signed in"]
    assert set(happened[2:]) == {"asked"}


async def test_after_a_401_it_is_asked_again(cloud: Cloud, session: GraphSession) -> None:
    opener = guarded_endpoint(session, open_fence)
    await opener.open(create=True)
    guard = Guard()
    fenced = guarded_endpoint(session, guard)
    await fenced.open(create=False)
    await push_all(fenced, creates(fenced, CONTACTS, 1))
    once = len(guard.asked)
    guard.asked.clear()
    guard.refuse_from = once + 1
    before = len(sent(cloud))
    cloud.fault(kind="status", status=401, method="POST", path=r"/\$batch$", batched=False, count=1)
    with pytest.raises(LeaseLostError):
        await push_all(fenced, creates(fenced, CONTACTS, 1, start=1))
    assert len(sent(cloud)) == before + 1
    assert len(cloud.held(FOLDER)) == 1


async def test_a_read_has_no_gate(cloud: Cloud, session: GraphSession) -> None:
    await guarded_endpoint(session, open_fence).open(create=True)
    fenced = guarded_endpoint(session, Guard(refuse_from=1))
    await fenced.open(create=False)
    assert await fenced.find([key(1)]) == {key(1): []}
