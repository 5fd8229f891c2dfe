"""How commands tell what they found: for people, or in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click
import msgspec

Command = TypeVar("Command", bound=Callable[..., object])


def output_option(words: str = "For people, or JSON.") -> Callable[[Command], Command]:
    """`text` or `json`."""
    return click.option(
        "--output", "-o", type=click.Choice(["text", "json"]), default="text", help=words
    )


def as_json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
