"""Inner fields: what a mapping does to a series' text, it does to that of its exceptions.

An occurrence of its own subject would else tell what the mapping withholds of the series. Where a
field does not pass, or is made by the mapping, an exception has it as the series has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from cirahub_sync.model.event import INNER, Occurrence
from cirahub_sync.model.template import Affixes, affixed, stripped

_replace = msgspec.structs.replace


class Inner:
    """One lens' part in the exceptions. `silent`: the fields of the series that exceptions have
    none of their own of, on the side that the flow leads to."""

    __slots__ = ("_affixes", "_silent")

    def __init__(self, silent: Collection[str], affixes: Mapping[str, Affixes]) -> None:
        self._silent = tuple(field for field in INNER if field in silent)
        self._affixes = tuple((field, affixes[field]) for field in INNER if field in affixes)

    def __bool__(self) -> bool:
        return bool(self._silent or self._affixes)

    @property
    def lossy(self) -> bool:
        """Whether some of what an exception says can't be told from its image."""
        return bool(self._silent)

    def along(self, occurrences: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
        """Without those that are left with nothing that differs from the series."""
        images = (self._image(one) for one in occurrences)
        return tuple(image for image in images if image.says)

    def against(
        self, images: Iterable[Occurrence], source: Iterable[Occurrence] = ()
    ) -> tuple[Occurrence, ...]:
        """The occurrences of `source` as these images of them have become."""
        had = {one.original: one for one in source}
        result: list[Occurrence] = []
        for image in images:
            one = self._unaffixed(image)
            before = had.pop(image.original, None)
            if before is not None and not one.cancelled:
                kept = {field: getattr(before, field) for field in self._silent}
                one = _replace(one, **kept)
            result.append(one)
        result += (one for one in had.values() if not self._image(one).says)
        return tuple(sorted(result, key=lambda one: one.original))

    def _image(self, one: Occurrence) -> Occurrence:
        changes = dict.fromkeys(self._silent, "")
        for field, affixes in self._affixes:
            changes[field] = affixed(getattr(one, field), affixes)
        return _replace(one, **changes)

    def _unaffixed(self, image: Occurrence) -> Occurrence:
        changes = {
            field: stripped(getattr(image, field), affixes) for field, affixes in self._affixes
        }
        return _replace(image, **changes) if changes else image
