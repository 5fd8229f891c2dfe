"""Which application permissions the requests of this package need, held against a token's.

https://learn.microsoft.com/graph/permissions-reference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import (
    AddressListTarget,
    CalendarTarget,
    ItemKind,
    Listed,
    MailboxAccess,
    MailboxTarget,
    SpokeConfig,
)
from cirahub_sync.needs import Needs
from cirahub_sync.spoke_set import MemberSource, SpokeSetConfig

_MAILBOX = {
    ItemKind.CONTACT: ("Contacts.Read", "Contacts.ReadWrite"),
    ItemKind.EVENT: ("Calendars.Read", "Calendars.ReadWrite"),
}
"""To read, and to read and write."""
_PLACES = {ItemKind.CONTACT: "mailboxes", ItemKind.EVENT: "calendars"}
_USERS = "User.ReadBasic.All"
_ALL_USERS = "User.Read.All"
_DIRECTORY = frozenset({"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
"""They let users be read, and far more."""
_MEMBERS = "GroupMember.Read.All"
_HIDDEN = "Member.Read.Hidden"
_GROUPS = frozenset(
    {
        _MEMBERS,
        "GroupMember.ReadWrite.All",
        "Group.Read.All",
        "Group.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    }
)
"""Any lets be read who is in a group."""
_ORG_CONTACTS = "OrgContact.Read.All"
LIST_ROLES: Mapping[Listed, str] = {
    Listed.USERS: _ALL_USERS,
    Listed.CONTACTS: _ORG_CONTACTS,
    Listed.GROUPS: _MEMBERS,
}
"""The least that lets each part of an address list be read whole."""
LIST_ROLES_THAT_DO: Mapping[Listed, frozenset[str]] = {
    Listed.USERS: frozenset({_ALL_USERS}) | _DIRECTORY,
    Listed.CONTACTS: frozenset({_ORG_CONTACTS, "Directory.Read.All", "Directory.ReadWrite.All"}),
    Listed.GROUPS: _GROUPS,
}
"""Any does."""
_LISTED = {
    Listed.USERS: "users",
    Listed.CONTACTS: "mail contacts",
    Listed.GROUPS: "groups",
}


class Need(msgspec.Struct, frozen=True):
    """An application permission, and what needs it."""

    permission: str
    purpose: str
    spokes: tuple[str, ...]
    """Their names, `namespace/name`."""
    mailboxes: tuple[str, ...] = ()
    """Those that it is for."""
    groups: tuple[str, ...] = ()
    """Groups whose members' mailboxes it is for."""
    filters: tuple[str, ...] = ()
    """The names of sets whose members a filter finds, for whose mailboxes it is."""

    @property
    def in_mailboxes(self) -> bool:
        """Otherwise it is for the directory."""
        return bool(self.mailboxes or self.groups or self.filters)


def needed(
    spokes: Iterable[SpokeConfig],
    access: MailboxAccess,
    asking: Iterable[SpokeConfig] = (),
    sets: Iterable[SpokeSetConfig] = (),
) -> tuple[Need, ...]:
    """What the spokes and sets of one Connection need, and nothing that includes more. `asking`:
    those whose filters look for groups in its directory.

    Consent is for all mailboxes of a tenant at once, and that to writing includes reading. Exchange
    grants each mailbox by itself.
    """
    declared = sorted(sets, key=lambda one: one.name)
    every = sorted([*spokes, *(one.template for one in declared)], key=lambda one: one.name)
    found: list[Need] = []
    mailboxes = [one for one in every if isinstance(one.target, MailboxTarget | CalendarTarget)]
    sources = {one.name: one.source for one in declared}
    for kind in ItemKind:
        of_kind = [one for one in mailboxes if one.target.kind is kind]
        found += _of_kind(kind, of_kind, access, sources)
    grouped = {one.name for one in declared if one.source.by_group}
    members = tuple(sorted(grouped.union(one.name for one in asking)))
    purposes: dict[str, dict[str, tuple[str, ...]]] = {}
    for permission, purpose, names in (
        (_USERS, "finding mailboxes", tuple(one.name for one in mailboxes)),
        (_USERS, "reading who the members of groups are", () if mailboxes else members),
        (_MEMBERS, "reading who is in groups that filters or sets name", members),
        (
            _ALL_USERS,
            "finding members by a filter",
            tuple(one.name for one in declared if one.source.filter),
        ),
        *(
            (LIST_ROLES[listed], f"reading {_LISTED[listed]} of the address list", reading)
            for listed, reading in _reading(every).items()
        ),
    ):
        if names:
            purposes.setdefault(permission, {})[purpose] = names
    if _ALL_USERS in purposes:  # which includes the other
        purposes[_ALL_USERS] = purposes.pop(_USERS, {}) | purposes[_ALL_USERS]
    return (
        *found,
        *(
            Need(permission, "; ".join(why), tuple(sorted(set().union(*why.values()))))
            for permission, why in purposes.items()
        ),
    )


def _reading(spokes: Iterable[SpokeConfig]) -> dict[Listed, tuple[str, ...]]:
    """The names of those that read some part of the address list, by that part."""
    found: dict[Listed, tuple[str, ...]] = {}
    for one in spokes:
        if isinstance(one.target, AddressListTarget):
            for listed in one.target.include:
                found[listed] = (*found.get(listed, ()), one.name)
    return {listed: found[listed] for listed in Listed if listed in found}


def _of_kind(
    kind: ItemKind,
    spokes: Sequence[SpokeConfig],
    access: MailboxAccess,
    sources: Mapping[str, MemberSource],
) -> Iterable[Need]:
    """`sources`: of those that are templates of sets, by their names."""
    read, write = _MAILBOX[kind]
    places = _PLACES[kind]
    apart = access is MailboxAccess.EXCHANGE
    writing = [one for one in spokes if one.direction.receives]
    reading = [one for one in spokes if not one.direction.receives]
    groups = [(True, writing), (False, reading)] if apart else [(bool(writing), spokes)]
    for writes, some in groups:
        if some:
            yield Need(
                write if writes else read,
                f"reading and writing {places}" if writes else f"reading {places}",
                tuple(one.name for one in some),
                *_where(some, sources),
            )


def _where(
    spokes: Sequence[SpokeConfig], sources: Mapping[str, MemberSource]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    mailboxes: dict[str, None] = {}
    groups: dict[str, None] = {}
    filters: dict[str, None] = {}
    for one in spokes:
        address = _address(one)
        source = None if address else sources.get(one.name)
        if source is None:
            mailboxes[address] = None
            continue
        mailboxes |= dict.fromkeys(source.mailboxes)
        groups |= dict.fromkeys(source.groups)
        if source.filter:
            filters[one.name] = None
    return tuple(mailboxes), tuple(groups), tuple(filters)


def _address(spoke: SpokeConfig) -> str:
    """Blank for a template."""
    target = spoke.target
    assert isinstance(target, MailboxTarget | CalendarTarget)
    return target.address


def judged(
    roles: Collection[str], *, needs: Needs, access: MailboxAccess
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is missing, and what is in excess.

    Where Exchange grants the access to mailboxes, consent to all of them is in excess: the two add
    up (https://learn.microsoft.com/exchange/permissions-exo/application-rbac).
    """
    held = frozenset(roles)
    missing = []
    excess = set(held - {_USERS, _ALL_USERS})
    for kind in sorted(needs.reads) if access is MailboxAccess.CONSENT else ():
        read, write = _MAILBOX[kind]
        excess -= {read, write}
        if write not in held and (kind in needs.writes or read not in held):
            missing.append(write if kind in needs.writes else read)
    if (needs.reads or needs.groups) and held.isdisjoint({_USERS, _ALL_USERS} | _DIRECTORY):
        missing.append(_USERS)
    for listed in sorted(needs.lists):
        role = LIST_ROLES[listed]
        excess.discard(role)
        if held.isdisjoint(LIST_ROLES_THAT_DO[listed]):
            missing.append(role)
    if needs.profiles and held.isdisjoint({_ALL_USERS} | _DIRECTORY):
        missing.append(_ALL_USERS)
    if needs.groups:
        excess -= {_MEMBERS, _HIDDEN, _ORG_CONTACTS}
        if held.isdisjoint(_GROUPS):
            missing.append(_MEMBERS)
    if _ALL_USERS in missing and _USERS in missing:
        missing.remove(_USERS)
    return tuple(dict.fromkeys(missing)), tuple(sorted(excess))
