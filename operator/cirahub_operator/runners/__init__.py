"""Where passes run: in a thread of the operator (inline); as Jobs, later."""

from cirahub_operator.runners.base import Engine, Runner
from cirahub_operator.runners.inline import InlineRunner

__all__ = ["Engine", "InlineRunner", "Runner"]
