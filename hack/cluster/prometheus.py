"""A Prometheus that scrapes something of ours, for as long as a `with` block."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

from cluster.component import Component
from cluster.errors import PrometheusFailedError
from cluster.network import ALONE
from cluster.ports import Reservation
from cluster.watchdog import Watchdog

READY_WITHIN = 60.0
READY_POLL = 0.1
ANSWER_WITHIN = 30.0
JOB = "cirahub-operator"


@dataclass(frozen=True, slots=True)
class Series:
    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]
    """POSIX seconds, and values."""


class Prometheus:
    """Made by `start`."""

    def __init__(self, url: str, component: Component) -> None:
        self.url = url
        self._component = component

    @classmethod
    @contextmanager
    def start(
        cls, binary: Path, *, scraped: str, rules: Sequence[Path] = (), every: float = 1.0
    ) -> Iterator[Self]:
        """Start it and wait until it is ready. `scraped` is the host and port whose `/metrics` it
        asks `every` so many seconds, with labels of ours kept as the chart's ServiceMonitor does.
        Raises ClusterError."""
        with ExitStack() as stack:
            home = Path(mkdtemp(prefix="cirahub-prometheus-"))
            watchdog = stack.enter_context(closing(Watchdog(home)))
            # Prometheus does not share its port: it is free from here to its start.
            with Reservation(ALONE.host) as reserved:
                port = reserved.port
            _configure(home / "prometheus.yml", scraped, rules, every)
            command = (
                binary,
                f"--config.file={home / 'prometheus.yml'}",
                f"--storage.tsdb.path={home / 'data'}",
                f"--web.listen-address={ALONE.host}:{port}",
            )
            component = Component("prometheus", command, home=home, watchdog=watchdog)
            stack.callback(component.stop)
            component.start()
            made = cls(f"http://{ALONE.host}:{port}", component)
            made._until_ready()
            yield made

    def query(self, expression: str) -> Sequence[Series]:
        """What it is now. Raises PrometheusFailedError."""
        found = self._ask("query", {"query": expression})
        if found["resultType"] == "scalar":
            return [Series({}, [_point(found["result"])])]
        return [Series(one["metric"], [_point(one["value"])]) for one in found["result"]]

    def over(self, expression: str, *, start: float, end: float, step: float) -> Sequence[Series]:
        """How it was, every `step` seconds. Raises PrometheusFailedError."""
        asked = {"query": expression, "start": str(start), "end": str(end), "step": str(step)}
        return [
            Series(one["metric"], [_point(each) for each in one["values"]])
            for one in self._ask("query_range", asked)["result"]
        ]

    def rules(self) -> Sequence[Mapping[str, Any]]:
        """Of every group, with `name`, `health` and, of alerts, `state`. Raises
        PrometheusFailedError."""
        return [rule for group in self._ask("rules", {})["groups"] for rule in group["rules"]]

    def _ask(self, what: str, parameters: Mapping[str, str]) -> Any:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_WITHIN) as response:  # noqa: S310
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            told = json.load(error).get("error", "")
            raise PrometheusFailedError(
                f"Prometheus refuses {parameters.get('query', what)}: {told}"
            ) from error
        except OSError as error:
            self._component.check_running()
            raise PrometheusFailedError(f"Prometheus at {self.url}: {error}") from error

    def _until_ready(self) -> None:
        end = time.monotonic() + READY_WITHIN
        while not self._ready():
            self._component.check_running()
            if time.monotonic() >= end:
                raise self._component.failure(f"is not ready after {READY_WITHIN:.0f} s")
            time.sleep(READY_POLL)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=ANSWER_WITHIN):  # noqa: S310
                return True
        except OSError:
            return False


def _point(pair: Sequence[Any]) -> tuple[float, float]:
    at, value = pair
    return float(at), float(value)


def _configure(path: Path, scraped: str, rules: Sequence[Path], every: float) -> None:
    """JSON, which is YAML."""
    job = {
        "job_name": JOB,
        "honor_labels": True,
        "static_configs": [{"targets": [scraped], "labels": {"namespace": "cirahub-system"}}],
    }
    interval = f"{round(every * 1000)}ms"
    made = {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
        },
        "rule_files": [str(one) for one in rules],
        "scrape_configs": [job],
    }
    path.write_text(json.dumps(made))
