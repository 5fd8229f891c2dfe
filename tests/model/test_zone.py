"""Time zones and what others call them."""

# ruff: noqa: DTZ001 -- a local time has no zone of its own

from __future__ import annotations

from datetime import datetime

import pytest
from tzlocal.windows_tz import tz_win, win_tz

from cirahub_sync.model.zone import (
    UnknownZoneError,
    as_windows_has_it,
    iana,
    instant,
    local_time,
    repeated,
    windows,
    zone,
)

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize("name", sorted(win_tz))
def test_every_windows_name_is_a_zone_that_is_known_here_and_leads_back(name: str) -> None:
    known = iana(name)

    assert zone(known) is not None
    assert iana(windows(known)) == known


def test_windows_names_are_of_cldr() -> None:
    assert iana("W. Europe Standard Time") == BERLIN
    assert windows("Europe/Vienna") == "W. Europe Standard Time"
    assert iana("Europe/Vienna") == "Europe/Vienna"


def test_a_zone_that_shares_its_windows_name_comes_back_as_another() -> None:
    assert as_windows_has_it("Europe/Vienna") == BERLIN
    assert as_windows_has_it(BERLIN) == BERLIN
    assert as_windows_has_it("UTC") == "UTC"


@pytest.mark.parametrize("name", ["UTC", "Etc/UTC", "Etc/GMT", "Zulu"])
def test_utc_has_one_name_here(name: str) -> None:
    assert iana(name) == "UTC"
    assert windows(name) == "UTC"


@pytest.mark.parametrize("name", ["", "Customized Time Zone", "../../etc/passwd", "/etc/localtime"])
def test_a_name_that_is_no_zone_is_refused_without_being_told(name: str) -> None:
    with pytest.raises(UnknownZoneError) as caught:
        iana(name)
    assert not name or name not in str(caught.value)
    with pytest.raises(UnknownZoneError):
        windows(name)


def test_a_time_that_the_clocks_skip_is_read_by_the_offset_from_before() -> None:
    skipped = datetime(2027, 3, 28, 2, 30)

    assert local_time(instant(skipped, BERLIN), BERLIN) == datetime(2027, 3, 28, 3, 30)
    assert not repeated(skipped, BERLIN)


def test_of_a_time_that_comes_twice_both_are_told_apart() -> None:
    once = datetime(2026, 10, 25, 2, 30)
    twice = once.replace(fold=1)

    assert repeated(once, BERLIN)
    assert instant(twice, BERLIN) - instant(once, BERLIN) == 3600
    assert local_time(instant(twice, BERLIN), BERLIN).fold == 1
    assert not repeated(datetime(2026, 10, 25, 4), BERLIN)


def test_no_zone_is_given_a_windows_name_under_which_clocks_go_otherwise() -> None:
    """CLDR has the Casey station under the zone of Guadalcanal, three hours away."""
    with pytest.raises(UnknownZoneError):
        windows("Antarctica/Casey")
    assert as_windows_has_it("Antarctica/Casey") == "Antarctica/Casey"
    for when in (datetime(2027, 1, 10, 12), datetime(2027, 3, 20, 12), datetime(2027, 7, 10, 12)):
        for name in filter(None, tz_win):
            assert instant(when, as_windows_has_it(name)) == instant(when, name), name
