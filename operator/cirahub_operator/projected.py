"""The token that the kubelet projects into our own pod, for sign-in as the operator itself."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import AccessToken

TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105 (the name of a variable)
"""Set by the workload-identity webhook. Source: azure-workload-identity, "Concepts"."""


async def projected_token() -> AccessToken:
    """The token that the kubelet keeps fresh in a file of our own pod. Raises CredentialError."""
    path = os.environ.get(TOKEN_FILE)
    if not path:
        raise CredentialError(
            f"{TOKEN_FILE} is not set, so there is no token of our own to sign in with: label the "
            'pod azure.workload.identity/use: "true", or set serviceAccountName',
            reason="TokenNotFound",
        )
    try:
        token = (await asyncio.to_thread(Path(path).read_text)).strip()
    except OSError as error:
        raise CredentialError(
            f"the projected token in {path} cannot be read ({error.strerror}); check the volume "
            "that the workload-identity webhook mounts",
            reason="TokenNotFound",
        ) from error
    import jwt  # not at the top: it loads the half of cryptography, for who has such a token alone

    try:
        expires = float(jwt.decode(token, options={"verify_signature": False})["exp"])
    except (jwt.InvalidTokenError, KeyError) as error:
        raise CredentialError(
            f"the file {path} holds no token of Kubernetes; check the volume that the "
            "workload-identity webhook mounts",
            reason="TokenNotFound",
        ) from error
    return AccessToken(token, expires)
