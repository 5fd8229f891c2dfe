"""The names that Outlook makes of a contact's others."""

from __future__ import annotations

from cirahub_simulator.graph.contact import ContactFields


def generated_name(fields: ContactFields) -> str | None:
    """The display name that Outlook makes of the others.

    The example of https://learn.microsoft.com/graph/api/user-post-contacts makes it of given name
    and surname; the company and the e-mail address are Outlook's own next choices.
    """
    parts = [part for part in (fields.given_name, fields.middle_name, fields.surname) if part]
    if parts:
        return " ".join(parts)
    if fields.company_name:
        return fields.company_name
    return next((e.address for e in fields.email_addresses if e.address), None)


def file_as_of(fields: ContactFields) -> str:
    """Outlook's "Last, First Middle"."""
    first = " ".join(part for part in (fields.given_name, fields.middle_name) if part)
    if fields.surname and first:
        return f"{fields.surname}, {first}"
    return fields.surname or first or fields.company_name or fields.display_name or ""
