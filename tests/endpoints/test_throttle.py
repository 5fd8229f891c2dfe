"""The limits are kept, on simulated time."""

import asyncio

import pytest

from cirahub_sync.errors import ThrottledError
from cirahub_sync.throttle import Limits, Throttle

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


async def use(throttle: Throttle, mailbox: str, *, cost: int = 1, seconds: float = 0.0) -> float:
    """One request, and when it was let through."""
    async with throttle.slot(mailbox, cost=cost):
        started = now()
        await asyncio.sleep(seconds)
    return started


async def test_within_the_limits_nobody_waits() -> None:
    throttle = Throttle()
    for _ in range(500):
        await use(throttle, "a", cost=20)
    assert now() == pytest.approx(0)
    assert throttle.waited == 0


async def test_no_window_of_ten_minutes_holds_more_than_the_limit() -> None:
    throttle = Throttle(Limits(requests=100, requests_span=600))
    starts = [await use(throttle, "a", seconds=1) for _ in range(350)]
    for start in starts:
        assert sum(start <= each < start + 600 for each in starts) <= 100
    assert now() < 4 * 620
    assert throttle.waited > 0


async def test_uploads_are_counted_by_bytes() -> None:
    throttle = Throttle(Limits(uploads=1000, uploads_span=300))
    async with throttle.slot("a", upload=900):
        pass
    async with throttle.slot("a", upload=200):
        assert now() >= 300


async def test_one_that_is_larger_than_the_limit_waits_for_an_empty_window() -> None:
    throttle = Throttle(Limits(uploads=1000, uploads_span=300))
    async with throttle.slot("a", upload=10):
        pass
    async with throttle.slot("a", upload=5000):
        assert 300 <= now() <= 310


async def test_four_run_at_a_time_in_one_mailbox_and_more_in_all() -> None:
    throttle = Throttle()
    one = await asyncio.gather(*(use(throttle, "a", seconds=1) for _ in range(8)))
    assert sorted(one) == pytest.approx([0] * 4 + [1] * 4)
    many = await asyncio.gather(*(use(throttle, str(n), seconds=1) for n in range(20)))
    assert many == pytest.approx([2] * 20)


async def test_a_batch_takes_all_four_places() -> None:
    throttle = Throttle()
    starts = await asyncio.gather(*(use(throttle, "a", cost=20, seconds=1) for _ in range(3)))
    assert starts == pytest.approx([0, 1, 2])


async def test_a_refusal_stops_that_mailbox_for_as_long_as_it_says_and_no_other() -> None:
    throttle = Throttle()
    throttle.refused("a", 30)
    assert await use(throttle, "b") == pytest.approx(0)
    assert await use(throttle, "a") == pytest.approx(30)
    assert throttle.waited == pytest.approx(30)


async def test_who_waits_for_a_place_sees_a_refusal_that_came_meanwhile() -> None:
    throttle = Throttle()

    async def refused() -> None:
        async with throttle.slot("a", cost=20):
            await asyncio.sleep(1)
            throttle.refused("a", 30)

    first = asyncio.create_task(refused())
    await asyncio.sleep(0)
    assert await use(throttle, "a", cost=20) == pytest.approx(31)
    await first


async def test_concurrency_halves_when_refused_and_grows_slowly_back() -> None:
    throttle = Throttle()
    throttle.refused("a", 0)
    assert throttle.concurrency("a") == 2
    throttle.refused("a", 0)
    throttle.refused("a", 0)
    assert throttle.concurrency("a") == 1
    starts = await asyncio.gather(*(use(throttle, "a", seconds=1) for _ in range(3)))
    assert starts == pytest.approx([0, 1, 2])
    throttle.answered("a", 19)
    assert throttle.concurrency("a") == 1
    throttle.answered("a")
    assert throttle.concurrency("a") == 2
    for _ in range(10):
        throttle.answered("a", 20)
    assert throttle.concurrency("a") == 4


async def test_the_application_as_a_whole_has_a_limit() -> None:
    throttle = Throttle(Limits(app_requests=100, app_requests_span=10))
    starts = await asyncio.gather(*(use(throttle, str(n), cost=20) for n in range(6)))
    assert sorted(starts)[:5] == pytest.approx([0] * 5)
    assert max(starts) >= 10


async def test_a_request_that_failed_gives_its_place_back() -> None:
    throttle = Throttle()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with throttle.slot("a", cost=20):
                raise ZeroDivisionError
    assert await use(throttle, "a", cost=20) == pytest.approx(0)


async def test_who_gives_up_waiting_is_passed_over() -> None:
    throttle = Throttle()
    first = asyncio.create_task(use(throttle, "a", cost=20, seconds=5))
    await asyncio.sleep(0)
    second = asyncio.create_task(use(throttle, "a", cost=20))
    third = asyncio.create_task(use(throttle, "a", cost=20))
    await asyncio.sleep(1)
    second.cancel()
    assert await third == pytest.approx(5)
    await first


async def test_a_clock_of_ones_own() -> None:
    time = [0.0]
    throttle = Throttle(Limits(requests=1), clock=lambda: time[0])
    assert await use(throttle, "a") == pytest.approx(0)
    time[0] = 700.0
    assert await use(throttle, "a") == pytest.approx(0)


async def test_who_is_asked_to_wait_too_long_is_told_so() -> None:
    throttle = Throttle()
    throttle.refused("a", 600)
    with pytest.raises(ThrottledError) as caught:
        async with throttle.slot("a", longest=120):
            pass
    assert caught.value.retry_after == pytest.approx(600)
    assert now() == pytest.approx(0)


async def test_mailboxes_that_have_been_quiet_are_forgotten() -> None:
    throttle = Throttle()
    for number in range(1000):
        await use(throttle, str(number))
    await asyncio.sleep(700)
    throttle.refused("busy", 100)
    for number in range(1000, 1100):
        await use(throttle, str(number))
    assert len(throttle._lanes) <= 101
    assert throttle.concurrency("busy") == 2


async def test_no_more_are_on_their_way_than_there_are_connections() -> None:
    throttle = Throttle(Limits(in_flight=3))
    starts = await asyncio.gather(*(use(throttle, str(n), seconds=1) for n in range(6)))
    assert starts == pytest.approx([0] * 3 + [1] * 3)
    assert throttle.waited == 0, "told as a limit of the service's"


async def test_no_ten_seconds_hold_more_than_an_application_may_send() -> None:
    throttle = Throttle()
    starts = sorted(
        await asyncio.gather(*(use(throttle, str(n), cost=20, seconds=0.5) for n in range(8000)))
    )
    late = 0
    for early, start in enumerate(starts):
        while late < len(starts) and starts[late] < start + 10:
            late += 1
        assert (late - early) * 20 <= 130_000
    assert starts[-1] == pytest.approx(8000 * 20 / 13_000, abs=0.7)


async def test_a_small_change_passes_those_who_fill_other_mailboxes() -> None:
    throttle = Throttle(Limits(in_flight=1))
    filling = [asyncio.create_task(use(throttle, str(n), cost=20, seconds=1)) for n in range(100)]
    await asyncio.sleep(0.5)
    assert await use(throttle, "urgent") == pytest.approx(1)
    await asyncio.gather(*filling)


async def test_a_small_change_passes_those_who_fill_the_same_mailbox() -> None:
    throttle = Throttle()
    filling = [asyncio.create_task(use(throttle, "a", cost=20, seconds=1)) for _ in range(4)]
    await asyncio.sleep(0.5)
    assert await use(throttle, "a") == pytest.approx(2), "the first runs, the second is at the gate"
    await asyncio.gather(*filling)


async def test_small_changes_leave_every_other_turn_to_large_ones() -> None:
    throttle = Throttle(Limits(in_flight=1))
    small = [asyncio.create_task(use(throttle, f"s{n}", seconds=1)) for n in range(10)]
    large = [asyncio.create_task(use(throttle, f"l{n}", cost=20, seconds=1)) for n in range(3)]
    assert await asyncio.gather(*large) == pytest.approx([1, 3, 5])
    await asyncio.gather(*small)


async def test_mailboxes_take_turns_however_much_each_is_sent() -> None:
    throttle = Throttle(Limits(in_flight=1))
    much = [asyncio.create_task(use(throttle, "a", cost=20, seconds=1)) for _ in range(5)]
    little = asyncio.create_task(use(throttle, "b", cost=20, seconds=1))
    assert await little == pytest.approx(1)
    assert await asyncio.gather(*much) == pytest.approx([0, 2, 3, 4, 5])


async def test_who_gives_up_its_turn_takes_nobody_s_place() -> None:
    throttle = Throttle(Limits(in_flight=1))
    async with throttle.slot("a"):
        waiting, granted, last = (asyncio.create_task(use(throttle, name)) for name in "bcd")
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.sleep(0)
    granted.cancel()  # its turn has come this moment
    async with asyncio.timeout(10):
        assert await last == pytest.approx(1)


async def test_who_waits_for_a_turn_sees_a_refusal_that_came_meanwhile() -> None:
    throttle = Throttle(Limits(in_flight=1))
    first = asyncio.create_task(use(throttle, "a", seconds=5))
    await asyncio.sleep(0)
    second = asyncio.create_task(use(throttle, "b"))
    await asyncio.sleep(1)
    throttle.refused("b", 30)
    assert await second == pytest.approx(31)
    assert await use(throttle, "c") == pytest.approx(31)
    await first
