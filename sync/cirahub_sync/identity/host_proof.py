"""The seam between identity and a server of one's own: what is shown to it with each request."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import Credential


class Proof(msgspec.Struct, frozen=True):
    """A password or a token. Its text never reaches a log or an exception."""

    text: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class HostProof(Protocol):
    """What one server is shown, and no other."""

    what: str
    """For messages: what it is, and where it comes from."""

    @property
    def credential(self) -> Credential:
        """What the last sign-in was proved with."""
        ...

    async def current(self) -> Proof:
        """Raises CredentialError, also for one that the server has refused, and
        EndpointUnavailableError."""
        ...

    async def fresh(self) -> Proof:
        """Got anew, and tried even if the server has refused it before."""
        ...

    def refused(self, proof: Proof, why: CredentialError) -> CredentialError:
        """The server did not take it: `why` is raised from now on, until there is another one."""
        ...

    async def another(self, than: Proof) -> Proof | None:
        """One that is not the one that was refused, if there is one by now."""
        ...

    async def close(self) -> None: ...
