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

Of an event, what says whose it is goes to the hub and nowhere from there; what a mailbox has for
itself goes nowhere, but that a receiver's mapping may give a copy some when it is made.

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
from cirahub_sync.model.contact import Email, Phone
from cirahub_sync.model.event import Occurrence
from cirahub_sync.model.field_names import field_named, manifest_name
from cirahub_sync.model.inner import Inner
from cirahub_sync.model.kind import (
    CONTACTS,
    Content,
    Element,
    Kind,
    Some,
    as_contact,
    as_event,
)
from cirahub_sync.model.normalise import DEFAULT_REGION, caseless
from cirahub_sync.model.phone_format import PhoneFormat
from cirahub_sync.model.rules import Rules
from cirahub_sync.model.template import Affixes, Template, affixed, stripped

_replace = msgspec.structs.replace
_SHARED = 256
"""Lenses that are kept: thousands of spokes mostly have a few flows between them."""


class Lens:
    """Made by `compile_lens`. Immutable and free of state."""

    __slots__ = (
        "_affixes",
        "_back",
        "_blank",
        "_categories",
        "_cleared",
        "_computed",
        "_forth",
        "_hidden",
        "_identity",
        "_initial",
        "_inner",
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
        kind: Kind = CONTACTS,
    ) -> None:
        self._blank = kind.blank
        self.toward_hub = toward_hub
        self.region = region
        self._phones = phones
        self._section = rules.section
        policies = rules.policies
        self._kept = tuple(f for f in kind.fields if policies.get(f) is Policy.KEEP)
        self._cleared = tuple(
            f for f in kind.fields if f in fields and policies.get(f) is Policy.CLEAR
        )
        self.filled = frozenset(f for f in fields if policies.get(f) is Policy.FILL_IF_BLANK)
        self.blends = bool(self.filled or self._section)
        self.fields = fields
        self._affixes: Mapping[str, Affixes] = rules.affixes
        self._computed: Mapping[str, Template] = rules.computed
        self._categories = tuple(rules.categories.values())
        self._forth: Mapping[str, str] = rules.domains
        self._back = {caseless(new): old for old, new in rules.domains.items()}
        self._hidden = tuple(field for field in kind.fields if field not in fields)
        self._own = (*self._hidden, *((*rules.computed, *kind.inbound) if toward_hub else ()))
        self._initial: Mapping[str, object] = rules.initial
        if rules.first_categories:
            self._initial = {**rules.initial, "categories": tuple(rules.first_categories.values())}
        self._inner: Inner | None = None
        if "exceptions" in fields:
            silent = (*self._hidden, *rules.computed, *self._cleared)
            self._inner = Inner(silent, rules.affixes) or None
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
        if self._inner is not None and self._inner.lossy and not toward_hub:
            self.read_only |= {"exceptions"}
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
            *((sorted(self._initial.items()),) if self._initial else ()),
        )
        return hashlib.blake2b(msgspec.msgpack.encode(parts), digest_size=16).hexdigest()

    def to_hub(self, spoke: Some) -> Some:
        """A spoke's item in the hub's terms. Fields that have no value of their own there (they
        don't pass, or are a receiver's constants and templates) are blank."""
        if self._identity:
            return spoke
        if self.toward_hub:
            return self._forward(spoke, None)
        return self._backward(spoke, self._blank)

    def to_spoke(self, hub: Some, previous: Some | None = None) -> Some:
        """A hub item in the spoke's terms, for the item that holds `previous` there (None: it
        does not exist yet)."""
        if self._identity:
            return hub
        if self.toward_hub:
            return self._backward(hub, previous or self._blank)
        return self._forward(hub, previous)

    def blended(self, image: Some, held: Some) -> Some:
        """An item as a receiver without any would show it, for the one that holds `held`."""
        changes: dict[str, object] = {f: getattr(held, f) for f in self._hidden}
        changes.update((f, own) for f in self.filled if (own := getattr(held, f)))
        if self._section is not None:
            changes["notes"] = self._section.put(
                self._section.get(as_contact(image).notes) or "", as_contact(held).notes
            )
        return _replace(image, **changes)

    def spared(self, item: Some, held: Some) -> Some:
        """A receiver's own item, which it holds as `held`, with what the policies leave to it."""
        changes: dict[str, object] = {f: getattr(held, f) for f in self._kept}
        changes.update((f, own) for f in self.filled if (own := getattr(held, f)))
        return _replace(item, **changes) if changes else item

    def said(self, field: str, item: Content) -> str | None:
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

    def scalar_to_hub(self, field: str, spoke: Content) -> str:
        """One scalar of the spoke's item in the hub's terms: the same as in `to_hub`."""
        value: str = getattr(spoke, field)
        if self.toward_hub:
            if field in self._computed:
                return self._computed[field].fill(spoke, value)
            return affixed(value, self._affixes.get(field, ()))
        value = self.said(field, spoke) or ""
        return stripped(value, self._affixes.get(field, ()))

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
        if field == "exceptions" and self._inner is not None:
            turned = self._inner.along if self.toward_hub else self._inner.against
            return turned(e for e in elements if isinstance(e, Occurrence))
        return tuple(elements)

    def _forward(self, source: Some, target: Some | None) -> Some:
        changes: dict[str, object] = {f: getattr(self._blank, f) for f in self._hidden}
        for field, template in self._computed.items():
            changes[field] = template.fill(source, getattr(source, field))
        for field, affixes in self._affixes.items():
            changes[field] = affixed(getattr(source, field), affixes)
        if self._categories:
            present = {caseless(c) for c in source.categories}
            added = tuple(c for c in self._categories if caseless(c) not in present)
            changes["categories"] = source.categories + added
        if self._forth:
            changes["emails"] = _distinct(_moved(e, self._forth) for e in as_contact(source).emails)
        if self._phones is not None:
            changes["phones"] = tuple(
                self._phones.along(p, toward_hub=self.toward_hub) for p in as_contact(source).phones
            )
        if self._section is not None:
            ours = changes.get("notes", as_contact(source).notes)
            assert isinstance(ours, str)
            changes["notes"] = self._section.put(ours, "")
        changes.update((f, getattr(self._blank, f)) for f in self._cleared)
        if self._inner is not None:
            changes["exceptions"] = self._inner.along(as_event(source).exceptions)
        if target is not None:
            return self.blended(_replace(source, **changes), target)
        return _replace(source, **{**changes, **self._initial})

    def _backward(self, image: Some, source: Content) -> Some:
        changes: dict[str, object] = {f: getattr(source, f) for f in self._own}
        if not self.toward_hub:
            silent = (*self._computed, *self._cleared, *self.filled)
            changes.update((f, getattr(self._blank, f)) for f in silent)
            if self._section is not None and "notes" not in self._computed:
                changes["notes"] = self.said("notes", image) or ""
        for field, affixes in self._affixes.items():
            if field not in self.filled:
                changes[field] = stripped(str(changes.get(field, getattr(image, field))), affixes)
        if self._categories:
            changes["categories"] = self._unpinned(image.categories, source.categories)
        if self._forth:
            changes["emails"] = self._moved_back(
                as_contact(image).emails, as_contact(source).emails
            )
        if self._phones is not None:
            changes["phones"] = self._spelled_back(
                as_contact(image).phones, as_contact(source).phones
            )
        if self._inner is not None:
            changes["exceptions"] = self._inner.against(
                as_event(image).exceptions, as_event(source).exceptions
            )
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
    kind: Kind = CONTACTS,
) -> Lens:
    """The lens of a flow, the same object for flows that are alike: `toward_hub` for what a spoke
    contributes, else for what it receives. Fields in `never` don't pass. `region` is the spoke's,
    blank if it is the hub's. Raises ConfigurationError for unknown fields, and for rules without
    the inverse they need."""
    included = frozenset(
        field_named(name, where="fields", among=kind.shared) for name in flow.include
    )
    excluded = frozenset(
        field_named(name, where="fields", among=kind.shared) for name in flow.exclude
    )
    fields = (included or kind.shared) - excluded - frozenset(never)
    if toward_hub:
        fields |= kind.inbound
    rules = Rules(kind)
    rules.decide(flow.policies, toward_hub=toward_hub)
    withheld = {Policy.KEEP, Policy.CLEAR} if toward_hub else {Policy.KEEP}
    fields -= {field for field, policy in rules.policies.items() if policy in withheld}
    cleared = {field for field, policy in rules.policies.items() if policy is Policy.CLEAR}
    if not kind.essential <= fields - cleared:
        names = ", ".join(sorted(map(manifest_name, kind.essential)))
        raise ConfigurationError(f"fields: without {names} there is nothing to show; let it pass")
    for rule in flow.mapping:
        rules.add(rule, fields - cleared, toward_hub=toward_hub)
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
        kind=kind,
        region=hub_region if phones is None else phones.spoke,
    )
