"""Whether a mailbox holds everybody, as the source and the file have them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from demo.mailbox import Held


def by_id(held: Sequence[Held]) -> dict[str, Held]:
    """Contacts by their custom id; those without one are nobody of the file."""
    return {one.custom_id: one for one in held if one.custom_id}


def differences(source: Sequence[Held], receiver: Sequence[Held]) -> Iterator[str]:
    """What a receiver lacks, has twice or has differently from the source, a line each."""
    counts = Counter(one.custom_id for one in receiver if one.custom_id)
    yield from (f"{name} is there {count} times" for name, count in counts.items() if count > 1)
    copies = by_id(receiver)
    originals = by_id(source)
    for custom_id in copies.keys() - originals.keys():
        yield f"{custom_id} is there, and the source has no such contact"
    for custom_id, original in originals.items():
        copy = copies.get(custom_id)
        if copy is None:
            yield f"{custom_id} ({original.name}) is missing"
            continue
        for name in sorted(original.content.keys() | copy.content.keys()):
            ours, theirs = original.content.get(name), copy.content.get(name)
            if ours != theirs:
                yield f"{custom_id}: {name} is {theirs!r}, the source has {ours!r}"


def absences(file: Mapping[str, Mapping[str, object]], receiver: Sequence[Held]) -> Iterator[str]:
    """Whom, and which values of the file, a receiver lacks, a line each.

    `file` has the values by custom id. A value may stand anywhere in its contact: as it is, as
    the midnight of a birthday, or named in a line of the notes.
    """
    copies = by_id(receiver)
    for custom_id, values in file.items():
        if custom_id not in copies:
            yield f"{custom_id} of the file is missing"
            continue
        present = set(_leaves(copies[custom_id].content))
        for name, value in values.items():
            if value not in (None, "") and not _stands_for(name, str(value), present):
                yield f"{custom_id}: {name} {value!r} of the file is nowhere in it"


def _leaves(value: object) -> Iterator[str]:
    match value:
        case dict():
            for inner in value.values():
                yield from _leaves(inner)
        case list():
            for inner in value:
                yield from _leaves(inner)
        case _:
            yield str(value)


def _stands_for(name: str, value: str, present: set[str]) -> bool:
    return (
        value in present
        or f"{value}T00:00:00Z" in present
        or any(f"{name}: {value}" in text for text in present)
    )
