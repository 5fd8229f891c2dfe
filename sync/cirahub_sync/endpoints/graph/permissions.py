"""Which application permissions the requests of this package need, held against a token's.

https://learn.microsoft.com/graph/permissions-reference. Access tokens for Graph are Graph's own
business (https://learn.microsoft.com/entra/identity-platform/access-tokens): one that can't be
read here says nothing, and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Collection

import jwt

from cirahub_sync.configuration import MailboxAccess

_WRITE = "Contacts.ReadWrite"
_READ = "Contacts.Read"
_USERS = "User.ReadBasic.All"
_ALL_USERS = "User.Read.All"
_DIRECTORY = frozenset({"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
"""They let users be read, and far more."""
_FITTING = frozenset({_WRITE, _READ, _USERS, _ALL_USERS})


def roles_of(token: str) -> frozenset[str] | None:
    """The application permissions that a token carries. None if it does not show them."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return None
    roles = claims.get("roles", [])
    if not isinstance(roles, list):
        return None
    return frozenset(role for role in roles if isinstance(role, str))


def judged(
    roles: Collection[str], *, writes: bool, access: MailboxAccess
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is missing, and what is in excess. `writes`: something is pushed to mailboxes.

    Where Exchange grants the access to mailboxes, consent to all of them is in excess: the two add
    up (https://learn.microsoft.com/exchange/permissions-exo/application-rbac).
    """
    held = frozenset(roles)
    missing = []
    excess = held - _FITTING
    if access is MailboxAccess.EXCHANGE:
        excess |= held & {_WRITE, _READ}
    elif _WRITE not in held and (writes or _READ not in held):
        missing.append(_WRITE if writes else _READ)
    if held.isdisjoint({_USERS, _ALL_USERS} | _DIRECTORY):
        missing.append(_USERS)
    return tuple(missing), tuple(sorted(excess))
