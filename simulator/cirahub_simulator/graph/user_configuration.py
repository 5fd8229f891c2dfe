"""A user configuration: settings that an application keeps beside the items of a folder.

[MS-OXWSUSRCFG]; in the mailbox it is a hidden item of the folder ([MS-OXOCFG] 2.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class UserConfiguration:
    """Its parts; None: it has none of that kind."""

    item_id: str
    change_key: str
    dictionary: bytes | None = None
    """As it was written: the XML of a UserConfigurationDictionary."""
    xml: str | None = None
    binary: str | None = None
    """Both in base64."""
