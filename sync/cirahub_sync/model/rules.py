"""A flow's mapping rules, checked and sorted by what they do to which field."""

from __future__ import annotations

from cirahub_sync.configuration import FieldPolicy, MappingRule, PhoneForm, Policy
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.field_names import MANIFEST_FIELDS, field_named
from cirahub_sync.model.kind import CONTACTS, Kind
from cirahub_sync.model.normalise import caseless
from cirahub_sync.model.section import Section
from cirahub_sync.model.template import Affixes, Template, parse_template


class Rules:
    """A flow's rules by what they do to each field, in the order they were written."""

    def __init__(self, kind: Kind = CONTACTS) -> None:
        self._kind = kind
        self.affixes: dict[str, Affixes] = {}
        self.initial: dict[str, str] = {}
        """What a copy gets of fields that are its mailbox's own, when it is made."""
        self.first_categories: dict[str, str] = {}
        """The same of categories, where they are a mailbox's own; by key."""
        self.computed: dict[str, Template] = {}
        """Constants and templates, by the field that they make."""
        self.categories: dict[str, str] = {}
        self.domains: dict[str, str] = {}
        self.phones: PhoneForm | None = None
        self.section: Section | None = None
        self.policies: dict[str, Policy] = {}
        """By field; without those that are overwritten."""

    def add(self, rule: MappingRule, fields: frozenset[str], *, toward_hub: bool) -> None:
        actions = (
            bool(rule.prefix),
            bool(rule.suffix),
            rule.set_value is not None,
            bool(rule.template),
            bool(rule.add_category),
            rule.replace_domain is not None,
            rule.phone_format is not None,
            rule.notes_between is not None,
        )
        if sum(actions) != 1:
            raise ConfigurationError(
                "mapping: a rule needs exactly one of prefix, suffix, setValue, template, "
                "addCategory, replaceDomain, phoneFormat and notesBetween"
            )
        if not toward_hub and self._initial(rule):
            return
        if rule.add_category:
            self._check(rule.field, "categories", "addCategory", fields)
            self.categories.setdefault(caseless(rule.add_category), rule.add_category.strip())
            if "" in self.categories:
                raise ConfigurationError("mapping: addCategory is blank")
        elif rule.replace_domain is not None:
            self._check(rule.field, "emails", "replaceDomain", fields)
            self._move_domain(*rule.replace_domain)
        elif rule.phone_format is not None:
            self._check(rule.field, "phones", "phoneFormat", fields)
            self.phones = rule.phone_format
        elif rule.notes_between is not None:
            self._check(rule.field, "notes", "notesBetween", fields)
            self._enclose(*rule.notes_between)
        else:
            scalars = self._kind.scalars & fields - self._kind.essential
            field = field_named(rule.field, where="mapping", among=scalars)
            if rule.set_value is not None or rule.template:
                self.computed[field] = (
                    parse_template(rule.template, scalars)
                    if rule.set_value is None
                    else Template((rule.set_value,))
                )
                self.affixes.pop(field, None)
            elif not (rule.prefix or rule.suffix).strip():
                raise ConfigurationError(f"mapping: the prefix or suffix of {field} is blank")
            else:
                affix = (rule.prefix, rule.suffix)
                made = self.computed.get(field)
                if made is None:
                    self.affixes[field] = (*self.affixes.get(field, ()), affix)
                else:
                    self.computed[field] = Template(made.parts, (*made.affixes, affix))

    def _initial(self, rule: MappingRule) -> bool:
        """Whether it makes a field of the mailbox's own, which only a new copy gets."""
        if rule.add_category and "categories" in self._kind.initial:
            self._check(rule.field, "categories", "addCategory", self._kind.initial)
            self.first_categories[caseless(rule.add_category)] = rule.add_category.strip()
            return True
        if rule.set_value is None or MANIFEST_FIELDS.get(rule.field) not in self._kind.initial:
            return False
        self.initial[MANIFEST_FIELDS[rule.field]] = rule.set_value
        return True

    @staticmethod
    def _check(field: str, needed: str, action: str, fields: frozenset[str]) -> None:
        if field and field != needed:
            raise ConfigurationError(f"mapping: {action} works on {needed}, not on {field!r}")
        if needed not in fields:
            raise ConfigurationError(f"mapping: {action} works on {needed}, which do not pass")

    def _move_domain(self, old: str, new: str) -> None:
        old, new = caseless(old), new.strip()
        if not old or not new or "@" in old + new:
            raise ConfigurationError("mapping: replaceDomain needs two domains, without @")
        taken = {*self.domains, *(caseless(n) for n in self.domains.values())}
        if old in taken or caseless(new) in taken or old == caseless(new):
            raise ConfigurationError(
                f"mapping: replaceDomain {old!r} to {new!r} has no inverse: every domain may stand "
                "on one side of one rule only"
            )
        self.domains[old] = new

    def _enclose(self, start: str, end: str) -> None:
        start, end = start.strip(), end.strip()
        if not start or not end or start == end or len(f"{start}{end}".splitlines()) != 1:
            raise ConfigurationError(
                "mapping: notesBetween needs two different lines, which are not blank"
            )
        self.section = Section(start, end)

    def decide(self, policies: tuple[FieldPolicy, ...], *, toward_hub: bool) -> None:
        """Take the policies up. Raises ConfigurationError for a field with two of them, and for
        one that the flow has no use for."""
        decided: set[str] = set()
        for one in policies:
            for name in one.fields:
                field = field_named(name, where="policies", among=self._kind.shared)
                if field in decided:
                    raise ConfigurationError(f"policies: {name!r} has two; leave one of them out")
                decided.add(field)
                if one.policy is Policy.FILL_IF_BLANK and toward_hub:
                    raise ConfigurationError(
                        "policies: FillIfBlank is for receives; which of several values a hub "
                        "takes is for its conflictPolicy to say"
                    )
                if one.policy is not Policy.OVERWRITE:
                    self.policies[field] = one.policy
