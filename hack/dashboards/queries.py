"""Queries as Grafana sends them."""

from __future__ import annotations

import re
from collections.abc import Mapping


def asked(expression: str, values: Mapping[str, str], *, window: str = "1m") -> str:
    """With the values of variables in it, and with `window` for `$__rate_interval`."""
    given = {**values, "__rate_interval": window}
    return re.sub(r"\$(\w+)", lambda found: given.get(found[1], found[0]), expression)
