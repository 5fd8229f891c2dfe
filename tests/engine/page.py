"""The examples of docs/resources/spoke.md, connected as they stand there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cirahub_operator.api import Spoke
from cirahub_operator.resolver import spoke_config
from cirahub_sync.configuration import SpokeConfig

from .conftest import Scene

PAGE = Path(__file__).parents[2] / "docs/resources/spoke.md"
_EXAMPLE = re.compile(r"^### ([^\n]+)\n(?:(?!^#).)*?^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLES: dict[str, dict[str, Any]] = {
    heading: yaml.safe_load(text) for heading, text in _EXAMPLE.findall(PAGE.read_text())
}
"""By the heading they stand under: a part of a Spoke's `spec`."""


def connect_as_documented(scene: Scene, name: str, heading: str, **more: Any) -> SpokeConfig:
    """Add a spoke with that example as its spec, or change it to that; `more` is added to the
    spec."""
    made = Spoke.model_validate(
        {
            "metadata": {"name": name, "uid": f"spoke-{name}"},
            "spec": {
                "hubRef": {"name": "staff"},
                "connectionRef": {"name": "contoso"},
                **_mailbox(scene, name, EXAMPLES[heading]),
                **EXAMPLES[heading],
                **more,
            },
        }
    )
    scene.spokes[name] = spoke_config(made, scene.connection)
    return scene.spokes[name]


def _mailbox(scene: Scene, name: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """None where the example says itself what it is a spoke of."""
    if "globalAddressList" in example:
        return {}
    return {"mailbox": {"address": scene.mailbox(name)}}
