"""Whom the address list of an organisation has: mailboxes, mail contacts and mail-enabled groups.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/people-and-contacts-in-ews-in-exchange;
how each is told: https://learn.microsoft.com/exchange/client-developer/web-service-reference/mailboxtype.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cirahub_simulator.directory import Group, OrgContact, User
from cirahub_simulator.ews.markup import Element, add, element
from cirahub_simulator.world import World


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody of the address list."""

    who: User | OrgContact | Group
    address: str
    kind: str
    """MailboxTypeType: `Mailbox`, `PublicDL` or `GroupMailbox`."""

    def begins(self, text: str) -> bool:
        """Whether a name or the address begins with a text, which is casefolded."""
        names = [self.who.display_name, self.address, self.who.mail_nickname]
        if not isinstance(self.who, Group):
            names += [self.who.given_name, self.who.surname]
        if isinstance(self.who, User):
            names.append(self.who.user_principal_name)
        return any((name or "").casefold().startswith(text) for name in names)

    def mailbox(self) -> Element:
        """As an EmailAddressType."""
        made = element("t:Mailbox")
        add(made, "t:Name", self.who.display_name)
        add(made, "t:EmailAddress", self.address)
        add(made, "t:RoutingType", "SMTP")
        add(made, "t:MailboxType", self.kind)
        return made


def address_list(world: World, organisation_id: str) -> Iterator[Addressee]:
    """Everybody who is not hidden from it: users with a mailbox, mail contacts, groups."""
    for user in world.directory.users(organisation_id):
        if user.has_mailbox:
            yield Addressee(user, user.mail or user.user_principal_name, "Mailbox")
    for contact in world.mail_contacts.of(organisation_id):
        if not contact.hidden:
            yield Addressee(contact.org_contact(), contact.external_email_address, "Mailbox")
    for group in world.directory.groups(organisation_id):
        if group.mail_enabled and group.mail:
            kind = "GroupMailbox" if "Unified" in group.group_types else "PublicDL"
            yield Addressee(group, group.mail, kind)
