"""Whether the API server answers: when that is said, and who keeps quiet meanwhile."""

from __future__ import annotations

import logging

import pytest

from cirahub_operator.health import Health
from cirahub_operator.outage import DOUBT, RECOVERY, Attempts, Outage
from cirahub_operator.watch_streams import WatchStreams


class Witness:
    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[bool] = []
        self.outage = Outage(self.told.append, lambda: self.now)
        self.attempts = Attempts(self.outage, lambda: self.now)

    def shows(self, url: str, error: str = "ClientConnectorError(...)") -> bool:
        text = f"Request attempt #1 failed; will retry: GET {url} -> {error}"
        return self.attempts.filter(
            logging.LogRecord(Attempts.LOGGER, logging.ERROR, "", 0, text, (), None)
        )


@pytest.fixture
def witness() -> Witness:
    return Witness()


def test_a_refused_connection_is_an_outage_at_once_and_said_once(
    witness: Witness, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        witness.outage.failed("ClientConnectorError", surely=True)
        witness.now += 0.5
    witness.outage.answered()
    witness.outage.answered()
    assert witness.told == [False, True]
    begin, end = [record.getMessage() for record in caplog.records]
    assert begin.startswith("the API server does not answer (ClientConnectorError)")
    assert end == "the API server answers again, after 50 s"


def test_a_single_request_that_breaks_is_none(witness: Witness) -> None:
    for _ in range(10):
        witness.outage.failed("ServerDisconnectedError")
        witness.now += DOUBT / 2
        witness.outage.answered(403)
    assert witness.told == []


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_without_a_server_behind_it_is_one_if_it_lasts(
    witness: Witness, status: int
) -> None:
    witness.outage.answered(status)
    assert witness.told == []
    witness.now += DOUBT
    witness.outage.answered(status)
    assert witness.told == [False]
    witness.outage.answered(500)
    assert witness.told == [False, True]


def test_of_attempts_at_a_watch_nothing_is_said_during_an_outage(witness: Witness) -> None:
    witness.outage.failed("ClientConnectorError", surely=True)
    url = "https://api/apis/cirahub.io/v1alpha1/hubs?watch=true"
    assert not witness.shows(url)
    witness.outage.answered()
    assert not witness.shows(url, "APITooManyRequestsError('storage is (re)initializing')")
    witness.now += RECOVERY
    assert witness.shows(url, "APITooManyRequestsError('storage is (re)initializing')")


def test_what_refuses_a_watch_is_said_once_a_minute_of_each_watch(witness: Witness) -> None:
    hubs, spokes = "https://api/hubs?watch=true", "https://api/spokes?watch=true"
    assert witness.shows(hubs, "APIForbiddenError('no')")
    witness.now += 15
    assert not witness.shows(f"{hubs}&resourceVersion=7", "APIForbiddenError('no')")
    assert witness.shows(spokes, "APIForbiddenError('no')")
    assert witness.shows(hubs, "APIServerError('oh')")
    witness.now += 60
    assert witness.shows(hubs, "APIForbiddenError('no')")


def test_what_else_kopf_says_is_heard(witness: Witness) -> None:
    witness.outage.failed("ClientConnectorError", surely=True)
    text = "Ignoring an unsupported event type: {}"
    record = logging.LogRecord(Attempts.LOGGER, logging.WARNING, "", 0, text, (), None)
    assert witness.attempts.filter(record)


def test_an_outage_does_not_make_the_operator_look_dead() -> None:
    """A restart would not bring the API server back, and might meet a back-off when it is."""
    now = [0.0]
    streams = WatchStreams(lambda: now[0])
    health = Health(
        engine_silence=lambda: 0.0,
        watch_limit=240,
        engine_limit=120,
        streams=streams.silent,
        clock=lambda: now[0],
    )
    streams.heard("hubs")
    health.wrote("hubs", asked=0.0)
    now[0] = 1000.0
    assert len(health.live()) == 2
    health.cluster_answers(False)
    assert health.live() == []
    streams.begin_anew()
    health.cluster_answers(True)
    assert health.live() == []
