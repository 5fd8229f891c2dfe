"""How situations end: what is seen when all is well again."""

from __future__ import annotations

from tests.failures.situation import Seen

ANN = Seen(kind="Spoke", name="ann", status="True", reason="Synced")
BOB = Seen(kind="Spoke", name="bob", status="True", reason="Synced")
STAFF = Seen(kind="Hub", name="staff", status="True", reason="Synced")
CONTOSO = Seen(kind="Connection", name="contoso", status="True", reason="SignedIn")

BOTH = ("ann", "bob")
"""Mailboxes of which nothing changes meanwhile, or that hold the same in the end."""


def ann(reason: str) -> Seen:
    return Seen(kind="Spoke", name="ann", reason=reason)


def bob(reason: str) -> Seen:
    return Seen(kind="Spoke", name="bob", reason=reason)


def staff(reason: str) -> Seen:
    return Seen(kind="Hub", name="staff", reason=reason)


def contoso(reason: str) -> Seen:
    return Seen(kind="Connection", name="contoso", reason=reason)


def credentials(reason: str) -> Seen:
    return Seen(kind="Connection", name="contoso", type="CredentialsReady", reason=reason)


def consented(reason: str) -> Seen:
    return Seen(kind="Connection", name="contoso", type="Consented", reason=reason)


def failing(name: str, reason: str) -> Seen:
    return Seen(kind="Spoke", name=name, type="ItemsFailing", status="True", reason=reason)
