"""A Prometheus of one's own: it scrapes, answers, and says what it does not understand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import ClusterError, Prometheus, PrometheusFailedError


@pytest.fixture(scope="module")
def alone(prometheus: Path) -> Iterator[Prometheus]:
    """Nobody listens where it scrapes."""
    with Prometheus.start(prometheus, scraped="127.0.0.1:1") as alone:
        yield alone


def test_it_answers_what_is_now_and_what_was(alone: Prometheus) -> None:
    (now,) = alone.query("vector(7)")
    assert [value for _, value in now.points] == [7.0]
    (was,) = alone.over("vector(7)", start=1000.0, end=1120.0, step=60.0)
    assert was.points == [(1000.0, 7.0), (1060.0, 7.0), (1120.0, 7.0)]
    (scalar,) = alone.query("7")
    assert scalar.points[0][1] == 7.0


def test_a_query_that_is_none_is_told(alone: Prometheus) -> None:
    with pytest.raises(PrometheusFailedError, match=r"refuses sum\(: .*parse error"):
        alone.query("sum(")


def test_one_that_does_not_start_says_why(prometheus: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "rules.yaml"
    wrong.write_text("groups: 7\n")
    starting = Prometheus.start(prometheus, scraped="127.0.0.1:1", rules=[wrong])
    with pytest.raises(ClusterError, match=r"(?s)prometheus ended with 1.*rules.yaml"), starting:
        pass
