"""Mappings, compiled to lenses between a spoke's terms and the hub's.

A flow's rules are written in the flow's own direction. A lens works in both: an item that is
native in a spoke is seen through the lens of `contributes`, a copy through that of `receives`.

Laws, for the fields that pass and are not read-only:

- `to_spoke(to_hub(x), x) == x` for every item `x` of a contributing spoke, but for the order of
  e-mails that are one in the hub (`model.limits` keeps the spoke's order);
- `to_hub(to_spoke(h, held)) == h` for every hub item `h` as a receiver shows it, whatever that
  `held`, except that an e-mail address that already was in a domain that the mapping leads to
  comes back in the domain it leads from, a category that the mapping adds does not come back, and
  a phone number is the same number in another spelling (unless it is one in the spoke's region
  and none in the hub's);
- `to_spoke(h, to_spoke(h, held)) == to_spoke(h, held)`, and what a receiver's user wrote around a
  section or into a field that is left to it stays.

What the hub cannot know of a spoke's item (fields that don't pass, or are set to a constant or
made by a template on the way to the hub; whether the item has a category that the mapping adds
anyway; which of two domains that become one an address was in) `to_spoke` takes from the item as
it is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from cirahub_sync.configuration import Flow, Policy
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.contact import FIELDS, Contact, Element, Email, Phone
from cirahub_sync.model.field_names import field_named
from cirahub_sync.model.normalise import DEFAULT_REGION, caseless
from cirahub_sync.model.phone_format import PhoneFormat
from cirahub_sync.model.rules import Rules
from cirahub_sync.model.template import Affixes, Template, affixed

_BLANK = Contact()
_replace = msgspec.structs.replace
_SHARED = 256
"""Lenses that are kept: thousands of spokes mostly have a few flows between them."""


class Lens:
    """Made by `compile_lens`. Immutable and free of state."""

    __slots__ = (
        "_affixes",
        "_back",
        "_categories",
        "_cleared",
        "_computed",
        "_forth",
        "_hidden",
        "_identity",
        "_kept",
        "_own",
        "_phones",
        "_section",
        "blends",
        "fields",
        "filled",
        "key",
        "pinned",
        "read_only",
        "region",
        "toward_hub",
    )

    fields: frozenset[str]
    """The fields that pass from one side to the other at all."""
    read_only: frozenset[str]
    """Fields whose edit in the spoke cannot be mapped back: those that a receiver's mapping sets
    to a constant, clears, or makes by a template."""
    filled: frozenset[str]
    """Fields that a receiver gets only where it has none: what it has is its own affair."""
    blends: bool
    """Whether what a receiver is to hold depends on what it holds."""
    region: str
    """The ISO 3166 region in which the spoke's phone numbers are read."""
    pinned: frozenset[str]
    """Keys of the categories that the mapping adds: a spoke's edit of one says nothing."""
    key: str
    """A digest: lenses with the same key map every item alike."""

    def __init__(
        self,
        rules: Rules,
        fields: frozenset[str],
        phones: PhoneFormat | None,
        *,
        toward_hub: bool,
        region: str,
    ) -> None:
        self.toward_hub = toward_hub
        self.region = region
        self._phones = phones
        self._section = rules.section
        policies = rules.policies
        self._kept = tuple(f for f in FIELDS if policies.get(f) is Policy.KEEP)
        self._cleared = tuple(f for f in FIELDS if f in fields and policies.get(f) is Policy.CLEAR)
        self.filled = frozenset(f for f in fields if policies.get(f) is Policy.FILL_IF_BLANK)
        self.blends = bool(self.filled or self._section)
        self.fields = fields
        self._affixes: Mapping[str, Affixes] = rules.affixes
        self._computed: Mapping[str, Template] = rules.computed
        self._categories = tuple(rules.categories.values())
        self._forth: Mapping[str, str] = rules.domains
        self._back = {caseless(new): old for old, new in rules.domains.items()}
        self._hidden = tuple(field for field in FIELDS if field not in fields)
        self._own = (*self._hidden, *(rules.computed if toward_hub else ()))
        self._identity = not (
            self._hidden
            or rules.affixes
            or rules.computed
            or rules.categories
            or rules.domains
            or policies
            or self._section
            or phones
        )
        self.read_only = frozenset() if toward_hub else frozenset((*rules.computed, *self._cleared))
        self.pinned = frozenset(rules.categories)
        self.key = self._digest()

    def _digest(self) -> str:
        if self._identity:
            return "identity"
        parts = (
            self.toward_hub,
            self._hidden,
            sorted(self._affixes.items()),
            sorted(self._computed.items()),
            self._categories,
            sorted(self._forth.items()),
            self._kept,
            self._cleared,
            sorted(self.filled),
            self._section,
            self._phones,
        )
        return hashlib.blake2b(msgspec.msgpack.encode(parts), digest_size=16).hexdigest()

    def to_hub(self, spoke: Contact) -> Contact:
        """A spoke's item in the hub's terms. Fields that have no value of their own there (they
        don't pass, or are a receiver's constants and templates) are blank."""
        if self._identity:
            return spoke
        if self.toward_hub:
            return self._forward(spoke, _BLANK)
        return self._backward(spoke, _BLANK)

    def to_spoke(self, hub: Contact, previous: Contact | None = None) -> Contact:
        """A hub item in the spoke's terms, for the item that holds `previous` there (None: it
        does not exist yet)."""
        if self._identity:
            return hub
        if self.toward_hub:
            return self._backward(hub, previous or _BLANK)
        return self._forward(hub, previous or _BLANK)

    def blended(self, image: Contact, held: Contact) -> Contact:
        """An item as a receiver without any would show it, for the one that holds `held`."""
        changes: dict[str, object] = {f: getattr(held, f) for f in self._hidden}
        changes.update((f, own) for f in self.filled if (own := getattr(held, f)))
        if self._section is not None:
            changes["notes"] = self._section.put(self._section.get(image.notes) or "", held.notes)
        return _replace(image, **changes)

    def spared(self, item: Contact, held: Contact) -> Contact:
        """A receiver's own item, which it holds as `held`, with what the policies leave to it."""
        changes: dict[str, object] = {f: getattr(held, f) for f in self._kept}
        changes.update((f, own) for f in self.filled if (own := getattr(held, f)))
        return _replace(item, **changes) if changes else item

    def said(self, field: str, item: Contact) -> str | None:
        """Of a scalar in the spoke, what is for the hub to hear; None if nothing is."""
        value: str = getattr(item, field)
        if field == "notes" and self._section is not None:
            return self._section.get(value)
        return value

    def concerned(self, changed: Iterable[str]) -> tuple[str, ...]:
        """The fields that may differ in the hub's terms when these did in the spoke's: templates
        on the way to the hub are made of others."""
        if not (self.toward_hub and self._computed):
            return tuple(changed)
        found = dict.fromkeys(changed)
        made = [f for f, one in self._computed.items() if not one.inputs.isdisjoint(found)]
        return (*found, *(field for field in made if field not in found))

    def scalar_to_hub(self, field: str, spoke: Contact) -> str:
        """One scalar of the spoke's item in the hub's terms: the same as in `to_hub`."""
        value: str = getattr(spoke, field)
        if self.toward_hub:
            if field in self._computed:
                return self._computed[field].fill(spoke, value)
            return affixed(value, self._affixes.get(field, ()))
        value = self.said(field, spoke) or ""
        return _stripped(value, self._affixes.get(field, ()))

    def elements_to_hub(self, field: str, elements: Iterable[Element]) -> tuple[Element, ...]:
        """Elements of a list of the spoke in the hub's terms, without what the mapping adds."""
        if field == "categories" and self.pinned:
            return tuple(
                e for e in elements if isinstance(e, str) and caseless(e) not in self.pinned
            )
        if field == "emails" and self._forth:
            domains = self._forth if self.toward_hub else self._back
            return tuple(_moved(e, domains) for e in elements if isinstance(e, Email))
        if field == "phones" and self._phones is not None:
            turn = self._phones.along if self.toward_hub else self._phones.against
            return tuple(
                turn(e, toward_hub=self.toward_hub) for e in elements if isinstance(e, Phone)
            )
        return tuple(elements)

    def _forward(self, source: Contact, target: Contact) -> Contact:
        changes: dict[str, object] = {f: getattr(_BLANK, f) for f in self._hidden}
        for field, template in self._computed.items():
            changes[field] = template.fill(source, getattr(source, field))
        for field, affixes in self._affixes.items():
            changes[field] = affixed(getattr(source, field), affixes)
        if self._categories:
            present = {caseless(c) for c in source.categories}
            added = tuple(c for c in self._categories if caseless(c) not in present)
            changes["categories"] = source.categories + added
        if self._forth:
            changes["emails"] = _distinct(_moved(e, self._forth) for e in source.emails)
        if self._phones is not None:
            changes["phones"] = tuple(
                self._phones.along(p, toward_hub=self.toward_hub) for p in source.phones
            )
        if self._section is not None:
            ours = changes.get("notes", source.notes)
            assert isinstance(ours, str)
            changes["notes"] = self._section.put(ours, "")
        changes.update((f, getattr(_BLANK, f)) for f in self._cleared)
        image = _replace(source, **changes)
        return image if target is _BLANK else self.blended(image, target)

    def _backward(self, image: Contact, source: Contact) -> Contact:
        changes: dict[str, object] = {f: getattr(source, f) for f in self._own}
        if not self.toward_hub:
            silent = (*self._computed, *self._cleared, *self.filled)
            changes.update((f, getattr(_BLANK, f)) for f in silent)
            if self._section is not None and "notes" not in self._computed:
                changes["notes"] = self.said("notes", image) or ""
        for field, affixes in self._affixes.items():
            if field not in self.filled:
                changes[field] = _stripped(str(changes.get(field, getattr(image, field))), affixes)
        if self._categories:
            changes["categories"] = self._unpinned(image.categories, source.categories)
        if self._forth:
            changes["emails"] = self._moved_back(image.emails, source.emails)
        if self._phones is not None:
            changes["phones"] = self._spelled_back(image.phones, source.phones)
        return _replace(image, **changes)

    def _unpinned(self, image: tuple[str, ...], source: tuple[str, ...]) -> tuple[str, ...]:
        own = {caseless(c): c for c in source if caseless(c) in self.pinned}
        kept = [c for c in image if caseless(c) not in self.pinned or caseless(c) in own]
        shown = {caseless(c) for c in kept}
        return (*kept, *(c for key, c in own.items() if key not in shown))

    def _spelled_back(
        self, image: tuple[Phone, ...], source: tuple[Phone, ...]
    ) -> tuple[Phone, ...]:
        assert self._phones is not None
        if self.toward_hub:
            return self._phones.restored(image, source)
        return tuple(self._phones.against(p, toward_hub=False) for p in image)

    def _moved_back(self, image: tuple[Email, ...], source: tuple[Email, ...]) -> tuple[Email, ...]:
        """Addresses that the source has keep the domain they have there; others get the domain
        that leads to theirs."""
        origins: dict[str, list[Email]] = {}
        for email in source:
            origins.setdefault(caseless(_moved(email, self._forth).address), []).append(email)
        result: list[Email] = []
        for email in image:
            origin = origins.get(caseless(email.address))
            if origin is None:
                result.append(_moved(email, self._back))
            elif _moved(origin[0], self._forth) == email:
                result.extend(origin)
            else:
                local = email.address.rpartition("@")[0]
                for address in (o.address for o in origin):
                    domain = address.rpartition("@")[2]
                    kept = caseless(address) == caseless(email.address)
                    result.append(email if kept else Email(f"{local}@{domain}", email.name))
        return _distinct(result)


def _stripped(value: str, affixes: Affixes) -> str:
    """Also when a service trimmed the ends, and blank when nothing but the affix is left."""
    for prefix, suffix in reversed(affixes):
        if value.strip() == (prefix or suffix).strip():
            return ""
        for start in (prefix, prefix.lstrip()):
            if start and value.startswith(start):
                value = value[len(start) :]
                break
        for end in (suffix, suffix.rstrip()):
            if end and value.endswith(end):
                value = value[: -len(end)]
                break
    return value


def _moved(email: Email, domains: Mapping[str, str]) -> Email:
    local, at, domain = email.address.rpartition("@")
    new = domains.get(caseless(domain)) if at else None
    return email if new is None else Email(f"{local}@{new}", email.name)


def _distinct(emails: Iterable[Email]) -> tuple[Email, ...]:
    found: dict[str, Email] = {}
    for email in emails:
        found.setdefault(caseless(email.address), email)
    return tuple(found.values())


@lru_cache(maxsize=_SHARED)
def compile_lens(
    flow: Flow,
    *,
    toward_hub: bool,
    never: frozenset[str] = frozenset(),
    region: str = "",
    hub_region: str = DEFAULT_REGION,
) -> Lens:
    """The lens of a flow, the same object for flows that are alike: `toward_hub` for what a spoke
    contributes, else for what it receives. Fields in `never` don't pass. `region` is the spoke's,
    blank if it is the hub's. Raises ConfigurationError for unknown fields, and for rules without
    the inverse they need."""
    included = frozenset(field_named(name, where="fields") for name in flow.include)
    excluded = frozenset(field_named(name, where="fields") for name in flow.exclude)
    fields = (included or frozenset(FIELDS)) - excluded - frozenset(never)
    rules = Rules()
    rules.decide(flow.policies, toward_hub=toward_hub)
    withheld = {Policy.KEEP, Policy.CLEAR} if toward_hub else {Policy.KEEP}
    fields -= {field for field, policy in rules.policies.items() if policy in withheld}
    cleared = {field for field, policy in rules.policies.items() if policy is Policy.CLEAR}
    for rule in flow.mapping:
        rules.add(rule, fields - cleared)
    for field, own in (("categories", rules.categories), ("notes", rules.section)):
        if own and field in rules.policies:
            raise ConfigurationError(
                f"policies: {field} can't be left to the mailbox and be added to by the mapping; "
                "leave one of the two out"
            )
    if rules.section is not None and toward_hub:
        raise ConfigurationError("mapping: notesBetween is for receives")
    phones = None
    if rules.phones is not None:
        phones = PhoneFormat(rules.phones, region or hub_region, hub_region)
    return Lens(
        rules,
        fields,
        phones,
        toward_hub=toward_hub,
        region=hub_region if phones is None else phones.spoke,
    )
