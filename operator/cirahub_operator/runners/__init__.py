"""Where passes run: in a thread of the operator (inline), and their parts in Jobs (job)."""

from cirahub_operator.runners.base import Engine, Runner
from cirahub_operator.runners.inline import InlineRunner
from cirahub_operator.runners.job import JobCrews

__all__ = ["Engine", "InlineRunner", "JobCrews", "Runner"]
