"""What a token says that its bearer may do.

Access tokens are their resource's own business
(https://learn.microsoft.com/entra/identity-platform/access-tokens): from one that can't be read
here, nothing is concluded.
"""

from __future__ import annotations


def roles_of(token: str) -> frozenset[str] | None:
    """The application permissions that a token carries. None if it does not show them."""
    import jwt  # not at the top: it loads the half of cryptography

    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return None
    roles = claims.get("roles", [])
    if not isinstance(roles, list):
        return None
    return frozenset(role for role in roles if isinstance(role, str))
