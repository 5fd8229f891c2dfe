"""What a spoke shows of a contact, seen for the first time or once more."""

from __future__ import annotations

from cirahub_sync.configuration import Flow, MappingRule
from cirahub_sync.model.contact import Contact, Phone, PhoneKind
from cirahub_sync.model.edit import Awareness, OwnEdits
from cirahub_sync.model.mapping import Lens, compile_lens
from cirahub_sync.model.observe import Recorded, record

IDENTITY = compile_lens(Flow(), toward_hub=True)
FIRST = Awareness(3, 0, 10, 11)
LATER = Awareness(9, 8, 20, 21)


def receives(*rules: MappingRule, exclude: tuple[str, ...] = ()) -> Lens:
    return compile_lens(Flow(mapping=rules, exclude=exclude), toward_hub=False)


def contributes(*rules: MappingRule, exclude: tuple[str, ...] = ()) -> Lens:
    return compile_lens(Flow(mapping=rules, exclude=exclude), toward_hub=True)


def sight(content: Contact, lens: Lens = IDENTITY, when: Awareness = FIRST) -> OwnEdits:
    return record(
        OwnEdits(), shadow=None, observed=content, lens=lens, when=when, native_first_sight=True
    ).own


def seen(
    shadow: Contact, observed: Contact, *, own: OwnEdits | None = None, lens: Lens = IDENTITY
) -> Recorded:
    return record(
        own if own is not None else OwnEdits(),
        shadow=shadow,
        observed=observed,
        lens=lens,
        when=LATER,
        native_first_sight=False,
    )


def mobile(*numbers: str) -> tuple[Phone, ...]:
    return tuple(Phone(PhoneKind.MOBILE, n) for n in numbers)


def key(phone: Phone) -> str:
    return f"{phone.kind}:{phone.number}"


N0, N1, N2 = mobile("+14255550100", "+14255550101", "+14255550102")
DOMAIN = MappingRule(replace_domain=("old.example", "new.example"))
