"""A campaign: deaths and examples, spread over the settings of the simulator's switches, in parts
that processes of their own can play."""

from __future__ import annotations

import asyncio
import random
import shlex
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.chaos.beginnings import beginnings
from tests.chaos.comparison import DuplicateError, LostError
from tests.chaos.crash import Difference, crash, undisturbed
from tests.chaos.settings import Setting, combined, single, told
from tests.chaos.story import LIFE
from tests.chaos.tape import Boundary
from tests.chaos.wishes import WISHES
from tests.chaos.wishing import WishingMachine

STORIES = {story.name: story for story in (LIFE, WISHES)}
STEPS = 12
"""Of an example, at most."""
EXAMPLES_OF_A_PART = 25
COMBINED = 24
"""Settings by chance, beside every single departure from the likeliest."""


@dataclass(frozen=True, slots=True)
class Part:
    """Deaths or examples, under one setting."""

    setting: Setting
    story: str = LIFE.name
    """In which somebody dies."""
    boundaries: tuple[Boundary, ...] = ()
    """These deaths; or, if there are none, `deaths` by chance."""
    deaths: int = 0
    examples: int = 0
    seed: int = 0
    shrink: bool = False
    """Whether to look for the shortest example that fails, which takes minutes."""


@dataclass(frozen=True, slots=True)
class Result:
    crash_points: int = 0
    examples: int = 0
    duplicates: int = 0
    lost: int = 0
    unconverged: int = 0
    told: tuple[str, ...] = ()
    """What went wrong, and how to see it again."""

    @property
    def bad(self) -> int:
        return self.duplicates + self.lost + self.unconverged

    def __add__(self, other: Result) -> Result:
        return Result(
            self.crash_points + other.crash_points,
            self.examples + other.examples,
            self.duplicates + other.duplicates,
            self.lost + other.lost,
            self.unconverged + other.unconverged,
            (*self.told, *other.told),
        )


def parts_of_deaths(number: int, seed: int, only: Sequence[Setting] | None = None) -> list[Part]:
    """At least so many deaths: half of them under the likeliest setting, the others spread evenly
    over all others."""
    if not number:
        return []
    if only is not None:
        return _deaths(only[0], number, seed)
    likeliest, *others = [*single(), *combined(COMBINED, seed)]
    each = -(-number // (2 * len(others)))
    parts = _deaths(likeliest, -(-number // 2), seed)
    for position, setting in enumerate(others):
        parts += _deaths(setting, each, seed + position)
    return parts


def _deaths(setting: Setting, number: int, seed: int) -> list[Part]:
    return [
        Part(setting, story=story, deaths=min(25, share - start), seed=seed * 1000 + start)
        for story, share in zip(STORIES, (-(-number // 2), number // 2), strict=True)
        for start in range(0, share, 25)
    ]


def parts_of_examples(number: int, seed: int, only: Sequence[Setting] | None = None) -> list[Part]:
    """So many examples; every single setting has its part before chance combines them."""
    count = -(-number // EXAMPLES_OF_A_PART)
    plain = single()
    chosen = only or [*plain, *combined(max(0, count - len(plain)), seed)]
    parts: list[Part] = []
    left = number
    for position in range(max(count, len(chosen)) if number else 0):
        size = min(left, EXAMPLES_OF_A_PART, -(-number // len(chosen)) if only is None else left)
        if size > 0:
            setting = chosen[position % len(chosen)]
            first = seed if only is not None else seed * 1000
            parts.append(
                Part(setting, examples=size, seed=first + position, shrink=only is not None)
            )
            left -= size
    return parts


def play(part: Part) -> Result:
    """In a process of its own: an exception would not come out of it whole."""
    try:
        return _examples(part) if part.examples else asyncio.run(_die(part))
    except Exception:
        why = f"{traceback.format_exc()}\nunder --switches {shlex.quote(told(part.setting))}"
        return Result(unconverged=1, told=(why,))


async def _die(part: Part) -> Result:
    story = STORIES[part.story]
    whole = await undisturbed(part.setting, story)
    boundaries = part.boundaries or sample(whole.boundaries(), part.deaths, part.seed)
    result = Result()
    for boundary in boundaries:
        again = f"--boundary {boundary} --switches {shlex.quote(told(part.setting))}"
        again += f" --story {part.story}"
        try:
            found = await crash(part.setting, boundary, whole, story)
        except Exception:
            found = Difference(unconverged=1, why=[traceback.format_exc()])
        why = [f"died at {boundary}: {each}; see it again with {again}" for each in found.why]
        result += Result(
            crash_points=int(found.died),
            duplicates=found.duplicates,
            lost=found.lost,
            unconverged=found.unconverged,
            told=tuple(why),
        )
    return result


def sample(boundaries: Sequence[Boundary], number: int, seed: int) -> list[Boundary]:
    """So many by chance; each moment of both kinds as often as the others."""
    chance = random.Random(seed)
    waiting: dict[tuple[str, str], list[Boundary]] = {}
    for boundary in boundaries:
        waiting.setdefault((boundary.kind, boundary.moment), []).append(boundary)
    for each in waiting.values():
        chance.shuffle(each)
    chosen: list[Boundary] = []
    while len(chosen) < number and any(waiting.values()):
        chosen += [each.pop() for each in waiting.values() if each]
    return chosen[:number]


def _examples(part: Part) -> Result:
    finished = 0

    def finish() -> None:
        nonlocal finished
        finished += 1

    setting = shlex.quote(told(part.setting))
    again = f"--boundaries 0 --examples {part.examples} --seed {part.seed} --switches {setting}"
    try:
        with beginnings(part.setting) as shared:
            machine = type(
                "Hub", (WishingMachine,), {"beginnings": shared, "finished": staticmethod(finish)}
            )
            run_state_machine_as_test(
                seed(part.seed)(machine),
                settings=settings(
                    max_examples=part.examples,
                    stateful_step_count=STEPS,
                    database=None,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    phases=[Phase.generate, Phase.shrink] if part.shrink else [Phase.generate],
                    report_multiple_bugs=False,
                ),
            )
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        kind = (isinstance(error, DuplicateError), isinstance(error, LostError))
        return Result(
            examples=finished,
            duplicates=int(kind[0]),
            lost=int(kind[1]),
            unconverged=int(not any(kind)),
            told=(f"{text}\nsee it again with {again}",),
        )
    return Result(examples=finished)
