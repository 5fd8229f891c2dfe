"""Remembering what was made lately, so that it is not made again for the next who asks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Recent(Generic[Made]):
    """The last made values, by key; so many at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[object, Made] = OrderedDict()

    def get(self, key: object, make: Callable[[], Made]) -> Made:
        made = self._kept.get(key)
        if made is None:
            made = make()
            self._kept[key] = made
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made
