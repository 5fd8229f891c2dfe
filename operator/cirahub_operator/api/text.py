"""Texts of a certain form, with an error that says what to write; the same from the API server
(as a CEL rule) and from us (as a validator)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

RULES = "x-kubernetes-validations"


@dataclass(frozen=True, kw_only=True)
class Matching:
    """`Annotated[str, Matching(…)]`. The pattern is in the dialect that Python and RE2 share, and
    has no apostrophes."""

    pattern: str
    message: str
    max_length: int
    condition: str = ""
    """In CEL, about `self`, what has to hold besides."""
    check: Callable[[str], bool] | None = None
    """The same in Python."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        text = core_schema.str_schema(max_length=self.max_length)
        return core_schema.no_info_after_validator_function(self._checked, text)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        made = handler(core)
        rule = f"self.matches(r'{self.pattern}')"
        if self.condition:
            rule = f"{rule} && {self.condition}"
        made[RULES] = [{"rule": rule, "message": self.message}]
        return made

    def _checked(self, text: str) -> str:
        if re.search(self.pattern, text) is None or (self.check and not self.check(text)):
            raise ValueError(self.message)
        return text


Region = Annotated[
    str,
    Matching(
        pattern="^[A-Z]{2}$",
        message="write the two capital letters of ISO 3166, like US, DE or GB",
        max_length=2,
    ),
]
