"""A situation, played from its cause to the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster.errors import KubectlFailedError

from .situation import READY, Refusal, Said, Seen, Situation, condition_sample
from .town import Town, matches


async def play(situation: Situation, town: Town, log: Callable[[], str]) -> None:
    """Cause it, see what an administrator sees, mend it, and see it come right."""
    message = await _caused(situation, town, log)
    assert matches(situation.names, message), f"does not name {situation.names!r}: {message}"
    assert matches(situation.remedy, message), f"has no remedy {situation.remedy!r}: {message}"
    seen = situation.seen
    if isinstance(seen, Seen) and situation.goes_with is not None:
        await town.comes(_gone_with(seen, situation.goes_with))
    for more in situation.also:
        await town.comes(more)
    if situation.told is not None:
        assert not isinstance(seen, Refusal)
        about = situation.told_of or seen
        event = await town.told(about.kind, about.name, *situation.told)
        assert event.note, f"{event} says nothing"
    if situation.measured is not None:
        await town.measured(situation.measured)
    if isinstance(seen, Said) and not seen.kind:
        town.assert_discreet_itself(log())
    else:
        await town.assert_discreet(log())
    town.assert_untouched(*situation.untouched)

    await situation.mend(town)

    after = situation.after
    await town.comes(after)
    await town.told(after.kind, after.name, "Normal", after.reason)
    await town.measured(condition_sample(after))
    if situation.over is not None:
        await town.measured(situation.over)
    if isinstance(seen, Seen) and situation.goes_with is not None:
        await town.loses(_gone_with(seen, situation.goes_with))
    elif isinstance(seen, Seen) and seen.type != READY:
        await town.loses(seen)
    await town.until_equal(*situation.equal)
    await town.assert_discreet(log())


async def _caused(situation: Situation, town: Town, log: Callable[[], str]) -> str:
    """What is said of it."""
    seen = situation.seen
    if isinstance(seen, Refusal):
        with pytest.raises(KubectlFailedError) as refused:
            await situation.cause(town)
        return str(refused.value)
    await situation.cause(town)
    if isinstance(seen, Said):
        return await town.said(seen, log)
    return str((await town.comes(seen))["message"])


def _gone_with(seen: Seen, type_: str) -> Seen:
    """Stalled says why; Reconciling that it is being tried again."""
    reason = seen.reason if type_ == "Stalled" else "Retrying"
    return Seen(kind=seen.kind, name=seen.name, type=type_, status="True", reason=reason)
