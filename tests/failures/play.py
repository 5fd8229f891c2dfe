"""A situation, played from its cause to the end."""

from __future__ import annotations

from collections.abc import Callable

from .situation import READY, Seen, Situation, condition_sample
from .town import Town, matches


async def play(situation: Situation, town: Town, log: Callable[[], str]) -> None:
    """Cause it, see what an administrator sees, mend it, and see it come right."""
    await situation.cause(town)

    seen = situation.seen
    condition = await town.comes(seen)
    message = condition["message"]
    assert matches(situation.names, message), f"does not name {situation.names!r}: {message}"
    assert matches(situation.remedy, message), f"has no remedy {situation.remedy!r}: {message}"
    if situation.goes_with is not None:
        await town.comes(_gone_with(situation))
    for more in situation.also:
        await town.comes(more)
    event = await town.told(seen, *situation.told)
    assert event.note, f"{event} says nothing"
    await town.measured(situation.measured)
    await town.assert_discreet(log())

    await situation.mend(town)

    after = situation.after
    await town.comes(after)
    await town.told(after, "Normal", after.reason)
    await town.measured(condition_sample(after))
    if situation.goes_with is not None:
        await town.loses(_gone_with(situation))
    elif seen.type != READY:
        await town.loses(seen)
    await town.assert_discreet(log())


def _gone_with(situation: Situation) -> Seen:
    """Stalled says why; Reconciling that it is being tried again."""
    seen, type_ = situation.seen, situation.goes_with or READY
    reason = seen.reason if type_ == "Stalled" else "Retrying"
    return Seen(kind=seen.kind, name=seen.name, type=type_, status="True", reason=reason)
