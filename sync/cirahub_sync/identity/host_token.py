"""A token for one Exchange Server, of the tenant that it is hybrid with.

https://learn.microsoft.com/microsoft-365/enterprise/configure-exchange-server-for-hybrid-modern-authentication:
the server's name is registered with the tenant's Exchange Online, and is then what a token may be
for. So, other than with a password, nobody has to say besides where it may go: it is of use at that
server alone, and Entra issues none for a name that no administrator has registered.
"""

from __future__ import annotations

from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import Credential
from cirahub_sync.identity.host_proof import Proof
from cirahub_sync.identity.tokens import CachedTokens

_NOT_REGISTERED = "ResourceNotFound"


class Bearer(Proof, frozen=True):
    """An access token."""


class HostToken:
    """Implements `host_proof.HostProof`. Belongs to one event loop."""

    def __init__(self, tokens: CachedTokens, host: str, *, name: str) -> None:
        """`host` may have a port, which its name in Entra has not; `name` is the connection's."""
        server = host.partition(":")[0]
        self.what = f"connection {name}: the token for {server}"
        self._tokens = tokens
        self._resource = f"https://{server}"
        self._refused: Proof | None = None
        self._why = CredentialError(f"{self.what} was refused")

    @property
    def credential(self) -> Credential:
        return self._tokens.credential

    async def current(self) -> Proof:
        """One that the server has refused is not sent again before it is renewed."""
        found = await self._token()
        if found == self._refused:
            raise CredentialError(str(self._why), reason=self._why.reason)
        return found

    async def fresh(self) -> Proof:
        self._refused = None
        await self._tokens.invalidate()
        return await self._token()

    def refused(self, proof: Proof, why: CredentialError) -> CredentialError:
        self._refused, self._why = proof, why
        return why

    async def another(self, than: Proof) -> Proof | None:
        found = await self._token()
        if found == than:
            await self._tokens.invalidate()
            found = await self._token()
        return None if found == than else found

    async def close(self) -> None:
        await self._tokens.close()

    async def _token(self) -> Proof:
        try:
            return Bearer((await self._tokens.token(f"{self._resource}/.default")).token)
        except CredentialError as error:
            if error.reason != _NOT_REGISTERED:
                raise
            raise CredentialError(
                f"{error}; or register {self._resource} in the tenant, among the service principal "
                "names of Office 365 Exchange Online",
                reason=error.reason,
            ) from error
