"""What the passes did, from the operator's metrics."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

RESULTS = ("pulled", "merged", "created", "updated", "deleted", "failed")


@dataclass(slots=True)
class Tally:
    """Filled by `read`, again and again: the metrics of a deleted spoke go with it, and what was
    read of it before stays."""

    spokes: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    passes: int = 0
    items: int = 0
    """The most that a hub held."""

    def read(self, metrics: str) -> None:
        self.passes = 0
        for family in text_string_to_metric_families(metrics):
            for sample in family.samples:
                value = int(sample.value)
                match sample.name:
                    case "cirahub_spoke_changes_total":
                        self.spokes[sample.labels["spoke"]][sample.labels["result"]] = value
                    case "cirahub_passes_total":
                        self.passes += value
                    case "cirahub_hub_items":
                        self.items = max(self.items, value)

    def of(self, spoke: str) -> tuple[int, ...]:
        """In the order of `RESULTS`."""
        return tuple(self.spokes[spoke].get(result, 0) for result in RESULTS)
