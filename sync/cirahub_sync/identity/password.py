"""A password for one server, which its keeper has to have named.

Whoever may write a manifest chooses the server. So that they can't have somebody else's password
sent to one of their own, the secret itself says whom it is for: a tag of the vault's secret, or an
annotation of the Secret.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from cirahub_sync.errors import CredentialError, EndpointUnavailableError
from cirahub_sync.identity.base import HOSTS_TAG, Credential, Material
from cirahub_sync.identity.grants import Place
from cirahub_sync.identity.host_proof import Proof

FRESH = 900.0
"""Seconds for which a password that was read is used without another look."""
LOOK_AGAIN = 60.0
"""Seconds between two looks for another one after the server refused it. A server locks accounts
that try a wrong password too often, so it is not tried a second time."""


class Password(Proof, frozen=True):
    """Of an account."""


class HostPassword:
    """Implements `host_proof.HostProof`. Belongs to one event loop."""

    def __init__(
        self, place: Place, host: str, *, what: str, clock: Callable[[], float] = time.time
    ) -> None:
        """`what` names the password and where it is kept."""
        self.what = what
        self._host = host
        self._place = place
        self._clock = clock
        self._known: Proof | None = None
        self._reading = asyncio.Lock()
        self._read_at = 0.0
        self._expires: float | None = None
        self._refused: Proof | None = None
        self._why = CredentialError(f"{what} was refused")

    @property
    def credential(self) -> Credential:
        """What the last sign-in was proved with."""
        return Credential("basic", self._expires)

    async def current(self) -> Proof:
        """Read anew from time to time; one that was read serves while its place is out of reach.

        Raises CredentialError, also for one that the server has refused (until another is kept),
        and EndpointUnavailableError.
        """
        held = LOOK_AGAIN if self._refused is not None else FRESH
        async with self._reading:
            if self._known is None or self._clock() - self._read_at >= held:
                await self._renew()
        if self._known is None or self._known == self._refused:
            raise CredentialError(str(self._why), reason=self._why.reason)
        return self._known

    async def fresh(self) -> Proof:
        self._refused = None
        await self._renew()
        return await self.current()

    def refused(self, proof: Proof, why: CredentialError) -> CredentialError:
        self._refused, self._why = proof, why
        return why

    async def another(self, than: Proof) -> Proof | None:
        """What is kept now: it may have been changed."""
        await self._renew()
        return self._known if self._known != than else None

    async def close(self) -> None:
        await self._place.close()

    async def _renew(self) -> None:
        try:
            found = await self._place.read()
        except EndpointUnavailableError:
            if self._known is None:
                raise
            return
        self._read_at = self._clock()
        self._check(found)
        self._known, self._expires = Password(found.value), found.expires

    def _check(self, found: Material) -> None:
        if self._host in found.hosts:
            return
        self._known = None
        named = ", ".join(sorted(found.hosts)[:5]) or "no host at all"
        raise CredentialError(
            f"{self.what} is not for {self._host}: it names {named}, and was sent nowhere. If it "
            f"is meant for {self._host}, have whoever keeps it say so: by the tag "
            f"{HOSTS_TAG}={self._host} of the vault's secret, or the annotation "
            f"cirahub.io/hosts: {self._host} of the Secret",
            reason="HostNotNamed",
        )
