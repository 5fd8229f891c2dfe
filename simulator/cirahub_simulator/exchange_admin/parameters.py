"""A cmdlet's parameters as they come in JSON: named without regard to case, null for `$null`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cirahub_simulator.exchange_admin import errors

COMMON = frozenset(("confirm", "erroraction", "warningaction", "verbose", "whatif"))
"""https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_commonparameters"""

_ADDRESS = re.compile(r"(?:smtp:)?[^\s@:]+@[^\s@:]+\.[^\s@:]+", re.IGNORECASE)
_ALIAS = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_LONGEST_ALIAS = 64


class Parameters:
    """Of one call."""

    def __init__(self, given: Mapping[str, object], allowed: Iterable[str]) -> None:
        """Raises CmdletError for a parameter that is not allowed."""
        self._values = {name.lower(): value for name, value in given.items()}
        known = {name.lower() for name in allowed} | COMMON
        for name in given:
            if name.lower() not in known:
                raise errors.no_parameter(name)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def text(self, name: str, most: int = 0) -> str:
        """Blank if it is absent or null. Raises CmdletError."""
        value = self._values.get(name.lower())
        if value is None:
            return ""
        if not isinstance(value, str):
            raise errors.invalid(name, value, "System.String")
        if most and len(value) > most:
            raise errors.too_long(name, most, len(value))
        return value

    def required(self, name: str, most: int = 0) -> str:
        """Raises CmdletError if it is absent."""
        value = self.text(name, most)
        if not value:
            raise errors.missing_parameter(name)
        return value

    def flag(self, name: str) -> bool:
        """False if it is absent."""
        value = self._values.get(name.lower(), False)
        if isinstance(value, bool):
            return value
        raise errors.invalid(name, value, "System.Boolean")

    def address(self, name: str) -> str:
        """An SMTP address without its prefix, its domain in small letters.

        Exchange is reported to spell domains anew; how, is an assumption.
        """
        value = self.required(name)
        if _ADDRESS.fullmatch(value) is None:
            raise errors.invalid(name, value, "Microsoft.Exchange.Data.ProxyAddress")
        local, _, domain = value[value.find(":") + 1 :].rpartition("@")
        return f"{local}@{domain.lower()}"

    def alias(self, name: str) -> str:
        """https://learn.microsoft.com/powershell/module/exchangepowershell/new-mailcontact"""
        value = self.text(name, _LONGEST_ALIAS)
        if value and _ALIAS.fullmatch(value) is None:
            raise errors.invalid(name, value, "System.String")
        return value
