"""Ways to sign in: with a Kubernetes token, or with something that is kept somewhere.

What is kept is read again for every sign-in (one an hour and scope), so that a new version is taken
up before the old one ends. The one that worked last is remembered: it serves while the place is
out of reach, and while Entra does not know the new one yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from cirahub_sync.configuration import SecretFile, WorkloadIdentityAuth
from cirahub_sync.errors import CredentialError, EndpointUnavailableError
from cirahub_sync.identity.base import Credential, CredentialSource, Material
from cirahub_sync.identity.entra import Assertion, EntraClient, Granted, Proof, Secret

NOT_YET_VALID = "NotYetValid"
REFUSED = frozenset({"SecretInvalid", "SecretExpired", "CertificateRejected"})
"""Reasons for which another version may be accepted."""


class Federated:
    """A Kubernetes token in a secret's place."""

    def __init__(
        self,
        auth: WorkloadIdentityAuth,
        audience: str,
        entra: EntraClient,
        credentials: CredentialSource,
    ) -> None:
        self._auth = auth
        self._audience = audience
        self._credentials = credentials
        self._entra = entra

    @property
    def credential(self) -> Credential:
        return Credential("workloadIdentity")

    async def acquire(self, scope: str) -> Granted:
        token = await self._credentials.service_account_token(
            self._auth.service_account, self._audience
        )
        return await self._entra.acquire(scope, Assertion(token.token))

    async def close(self) -> None:
        """Nothing is open."""


class Place(Protocol):
    """Where something is kept."""

    async def read(self) -> Material:
        """As it is now. Raises CredentialError and EndpointUnavailableError."""
        ...

    async def close(self) -> None: ...


class Handed:
    """What the surroundings hand over (`secretRef`, a file)."""

    def __init__(self, credentials: CredentialSource, reference: SecretFile) -> None:
        self._credentials = credentials
        self._reference = reference

    async def read(self) -> Material:
        # Files end in a newline more often than secrets do.
        found = await self._credentials.secret(self._reference)
        return msgspec.structs.replace(found, value=found.value.strip())

    async def close(self) -> None:
        """Nothing is open."""


class Held(msgspec.Struct, frozen=True):
    """Something read and understood. Times are POSIX seconds."""

    proof: Proof
    not_before: float | None = None
    expires: float | None = None


def held_secret(material: Material, what: str) -> Held:
    return Held(Secret(material.value), material.not_before, material.expires)


def held_certificate(material: Material, what: str) -> Held:
    """Valid while both the certificate and the vault's attributes say so."""
    # Not at the top: reading certificates loads a lot that most Connections have no use for.
    from cirahub_sync.identity.certificate import certificate_of

    certificate = certificate_of(material, what)
    starts = [certificate.not_before, material.not_before]
    ends = [certificate.not_after, material.expires]
    return Held(
        certificate,
        max(one for one in starts if one is not None),
        min(one for one in ends if one is not None),
    )


class Kept:
    """A client secret or a certificate; `kind` is the field of the manifest's `auth`."""

    def __init__(
        self,
        kind: str,
        place: Place,
        understand: Callable[[Material, str], Held],
        entra: EntraClient,
        *,
        what: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`what` names the thing and where it is kept."""
        self._kind = kind
        self._place = place
        self._understand = understand
        self._entra = entra
        self._what = what
        self._clock = clock
        self._known: Held | None = None

    @property
    def credential(self) -> Credential:
        return Credential(self._kind, None if self._known is None else self._known.expires)

    async def acquire(self, scope: str) -> Granted:
        refused: CredentialError | None = None
        for held in await self._candidates():
            try:
                granted = await self._entra.acquire(scope, held.proof)
            except CredentialError as error:
                if error.reason not in REFUSED:
                    raise
                refused = refused or self._explained(error, held)
            else:
                self._known = held
                return granted
        self._known = None
        assert refused is not None, "there is always a candidate"
        raise refused

    async def close(self) -> None:
        await self._place.close()

    async def _candidates(self) -> list[Held]:
        """What to try, best first."""
        known = self._known
        try:
            fresh = self._understand(await self._place.read(), self._what)
        except (EndpointUnavailableError, CredentialError) as error:
            comes_later = isinstance(error, EndpointUnavailableError) or (
                error.reason == NOT_YET_VALID
            )
            if known is None or not comes_later:
                raise
            return [known]
        if known is None or known.proof == fresh.proof:
            return [fresh]
        early = fresh.not_before is not None and fresh.not_before > self._clock()
        return [known, fresh] if early else [fresh, known]

    def _explained(self, error: CredentialError, held: Held) -> CredentialError:
        """What the dates of the thing tell about its refusal."""
        now = self._clock()
        if held.not_before is not None and held.not_before > now:
            return CredentialError(
                f"{self._what} is valid from {_day(held.not_before)} only; until then, store one "
                f"that is valid now, or wait. {error}",
                reason=NOT_YET_VALID,
                stalled=False,
            )
        ended = held.expires if held.expires is not None and held.expires <= now else None
        if ended is not None and error.reason == "CertificateRejected":
            return CredentialError(
                f"{self._what} has expired on {_day(ended)}; store a new version, and "
                f"register its public part with the application. {error}",
                reason="CertificateExpired",
            )
        return error


def _day(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
