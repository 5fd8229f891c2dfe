"""A stage and an operator, as the operator's own tests have them."""

from __future__ import annotations

from tests.operator.conftest import definitions, engine, operate, stage

__all__ = ["definitions", "engine", "operate", "stage"]
