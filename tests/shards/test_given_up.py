"""What a worker does when its pass was given up, and the next one does not wait for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.chaos.tape import OnItsWay
from tests.chaos.town import SMALL, VERIFIED
from tests.engine.conftest import Scene
from tests.shards.crew import Here

from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.engine.shared import Call
from cirahub_sync.errors import LeaseLostError


class Unheeded(Here):
    """Ends at once when it is cancelled; its workers end when they find out."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(2, scene._open)
        self.parts: list[asyncio.Future[None]] = []

    async def work(self, call: Call) -> None:
        self.calls.append(call)
        for several in call.parts.values():
            self.parts += [asyncio.ensure_future(self._part(call, part)) for part in several]
        await asyncio.wait(self.parts)


class Slow:
    """The first batch of writes has left, and arrives when somebody lets it; its sender waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: asyncio.Future[OnItsWay] = asyncio.get_running_loop().create_future()
        self.told = asyncio.Event()
        """That there is no answer."""
        original = GraphSession._send

        async def send(
            session: GraphSession, method: str, path: str, *rest: Any, fence: Any
        ) -> Any:
            if fence is not None and path.endswith("/$batch") and not self.left.done():
                headers, body, token = rest
                signed = headers | {"Authorization": f"Bearer {token}"}
                self.left.set_result(OnItsWay(method, session.origin + path, signed, body))
                await self.told.wait()
            return await original(session, method, path, *rest, fence=fence)

        monkeypatch.setattr(GraphSession, "_send", send)


async def test_what_is_under_way_when_a_pass_is_given_up_may_come_late_and_what_it_doubled_goes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    SMALL.settle_in(scene)
    slow, crew = Slow(monkeypatch), Unheeded(scene)
    passing = asyncio.ensure_future(scene.sync(crew=crew))
    request = await slow.left
    passing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await passing
    report = await scene.sync()
    assert report.problem is None, "the hub is free at once"
    request.arrive(scene.simulator.endpoints.ca_file)
    slow.told.set()
    ended = await asyncio.gather(*crew.parts, return_exceptions=True)
    assert {type(one) for one in ended} == {type(None), LeaseLostError}
    assert SMALL.found(scene) != SMALL.expected(), "somebody is there twice"
    for _ in range(3):
        scene.advance(VERIFIED)
        await scene.sync()
    SMALL.assert_whole(scene)
    assert scene.keep.rows("SELECT count(*) FROM intents WHERE NOT abandoned") == [(0,)]
