"""How phone numbers are written where they go: a format, and the regions of the two sides.

A number is read in the region of the side that it comes from. What is no possible number there (an
extension alone, say) is left as it is, to the letter.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from cirahub_sync.configuration import PhoneForm
from cirahub_sync.model.contact import Phone
from cirahub_sync.model.normalise import element_key


class PhoneFormat(msgspec.Struct, frozen=True, array_like=True):
    form: PhoneForm
    spoke: str
    """Of the two sides, the ISO 3166 regions in which numbers without a country code are read."""
    hub: str

    def along(self, phone: Phone, *, toward_hub: bool) -> Phone:
        """A phone where the flow takes it."""
        source, target = (self.spoke, self.hub) if toward_hub else (self.hub, self.spoke)
        number = written(phone.number, source, target, self.form)
        return phone if number == phone.number else Phone(phone.kind, number)

    def against(self, phone: Phone, *, toward_hub: bool) -> Phone:
        """A phone on the way back: as it is, unless the other side would read another number."""
        source, target = (self.hub, self.spoke) if toward_hub else (self.spoke, self.hub)
        if element_key("phones", phone, source) == element_key("phones", phone, target):
            return phone
        number = written(phone.number, source, target, PhoneForm.INTERNATIONAL)
        return Phone(phone.kind, number)

    def restored(self, phones: tuple[Phone, ...], source: tuple[Phone, ...]) -> tuple[Phone, ...]:
        """A contributor's phones, come back from the hub, as `source` spells them there."""
        spelled: dict[str, list[Phone]] = {}
        for phone in source:
            key = element_key("phones", self.along(phone, toward_hub=True), self.hub)
            spelled.setdefault(key, []).append(phone)
        result: list[Phone] = []
        for phone in phones:
            known = spelled.get(element_key("phones", phone, self.hub))
            result.append(known.pop(0) if known else self.against(phone, toward_hub=True))
        return tuple(result)


@lru_cache(maxsize=100_000)
def written(number: str, source: str, target: str, form: PhoneForm) -> str:
    """A number of the region `source` as the region `target` is to show it. The national form is
    for numbers of the target's own country code; others get the international one."""
    # Not at the top: a run that meets no number needs none of it.
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, source)
    except phonenumbers.NumberParseException:
        return number
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return number
    if form is PhoneForm.NATIONAL and parsed.country_code != (
        phonenumbers.country_code_for_region(target)
    ):
        form = PhoneForm.INTERNATIONAL
    match form:
        case PhoneForm.E164:
            shape = phonenumbers.PhoneNumberFormat.E164
        case PhoneForm.INTERNATIONAL:
            shape = phonenumbers.PhoneNumberFormat.INTERNATIONAL
        case PhoneForm.NATIONAL:
            shape = phonenumbers.PhoneNumberFormat.NATIONAL
    text = phonenumbers.format_number(parsed, shape)
    if form is PhoneForm.E164 and parsed.extension:
        text = f"{text} ext. {parsed.extension}"  # which E.164 has no place for
    try:
        again = phonenumbers.parse(text, target)
    except phonenumbers.NumberParseException:
        return number
    return text if again == parsed else number
