"""A campaign of many parts is played to its end."""

from __future__ import annotations

from tests.chaos.__main__ import played
from tests.chaos.campaign import Part


def test_every_part_is_played_however_many_a_process_has_played_before() -> None:
    parts = [Part({"no such switch": number}) for number in range(50)]
    results = played(parts, 1)
    assert len(results) == len(parts)
    assert {result.unconverged for result in results} == {1}
