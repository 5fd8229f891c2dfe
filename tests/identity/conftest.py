"""Entra and a key vault in the simulator, and a cluster that mints tokens."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from azure.keyvault.secrets._shared import http_challenge_cache
from cryptography.hazmat.primitives.asymmetric import rsa

from cirahub_simulator.directory import Application, ClientSecret, FederatedCredential, Tenant
from cirahub_simulator.entra.trust import TrustedIssuer
from cirahub_simulator.faults import Rule
from cirahub_simulator.keyvault.vault import Vault
from cirahub_simulator.server import Simulator
from cirahub_simulator.switches import Switches
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World
from cirahub_sync.configuration import (
    ClientSecretAuth,
    Cloud,
    EntraAuth,
    KeyVaultReference,
    SecretFile,
    WorkloadIdentityAuth,
)
from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import AccessToken, Material, TokenProvider
from cirahub_sync.identity.provider import provider
from cirahub_sync.identity.tokens import CachedTokens
from cirahub_sync.origins import Origins

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
READER = "33333333-3333-4333-8333-333333333333"
SECRET = "s3cret~of.the-application"
SCOPE = "https://graph.microsoft.com/.default"
ISSUER = "https://cluster.example"
SUBJECT = "system:serviceaccount:team:sync"


class Cluster:
    """Mints the tokens of ServiceAccounts, and hands over the secrets of a laptop."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.secrets = {"secret client/value": SECRET}
        self.minted: list[tuple[str, str]] = []
        self.lifetime = 3600
        self.age = 0
        self.clock: Callable[[], float] = time.time

    def jwks(self) -> str:
        numbers = self._key.public_key().public_numbers()

        def encoded(number: int) -> str:
            raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
            return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": encoded(numbers.n)}
        return json.dumps({"keys": [key | {"e": encoded(numbers.e)}]})

    async def secret(self, reference: SecretFile) -> Material:
        try:
            return Material(value=self.secrets[reference.origin] + "\n")
        except KeyError:
            raise CredentialError(f"{reference.origin}: none", reason="SecretNotFound") from None

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        self.minted.append((service_account, audience))
        now = int(self.clock()) - self.age
        subject = service_account.replace("/", ":")
        claims = {
            "iss": ISSUER,
            "sub": f"system:serviceaccount:{subject}",
            "aud": [audience],
            "nbf": now,
            "iat": now,
            "exp": now + self.lifetime,
        }
        token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "k"})
        return AccessToken(token, now + self.lifetime)


class SignIn:
    """A tenant with an application, and everything between a connection and its token."""

    def __init__(self) -> None:
        # The client keeps challenges by host and port for as long as its process lives, and a port
        # may have been an earlier test's vault.
        http_challenge_cache.clear()
        self.world = World()
        self.simulator = Simulator(self.world)
        self.cluster = Cluster()
        self.secret = ClientSecret(SECRET, datetime.now(UTC) + timedelta(days=90))
        federated = FederatedCredential(ISSUER, SUBJECT)
        self.application = Application(
            client_id=CLIENT,
            display_name="sync",
            home_tenant_id=TENANT,
            secrets=[self.secret],
            federated=[federated],
            granted={TENANT: {"Contacts.ReadWrite"}},
        )
        self.reader = Application(
            client_id=READER,
            display_name="reader",
            home_tenant_id=TENANT,
            federated=[federated],
            granted={TENANT: set()},
        )
        self.vault = Vault("corp", TENANT, access={READER: {"get"}})
        self.vault.put("graph", SECRET, int(time.time()))
        self.world.directory.add_tenant(Tenant(TENANT, "contoso.example", "Contoso", ["corp"]))
        self.world.directory.add_application(self.application)
        self.world.directory.add_application(self.reader)
        self.world.vaults["corp"] = self.vault
        self.world.trust.declare(TrustedIssuer(ISSUER, jwks=self.cluster.jwks()))
        self._providers: list[TokenProvider] = []

    def switch(self, **switches: object) -> None:
        self.world.switches = Switches(**switches)  # type: ignore[arg-type]

    def fault(self, **rule: object) -> None:
        self.world.faults.add(Rule(**rule))  # type: ignore[arg-type]

    def origins(self) -> Origins:
        endpoints = self.simulator.endpoints
        return Origins(endpoints.origins, endpoints.ca_file)

    def provider(
        self, auth: EntraAuth, *, jitter: float = 0.5, cloud: Cloud = Cloud.GLOBAL
    ) -> CachedTokens:
        made = provider(
            auth,
            cloud,
            self.origins(),
            self.cluster,
            name="team/contoso",
            clock=self.world.clock.time,
            jitter=lambda: jitter,
        )
        self._providers.append(made)
        return made

    def refusals(self) -> int:
        """Token requests that were refused."""
        counters = self.world.journal.counters
        return sum(n for key, n in counters.items() if key.startswith("entra POST 4"))

    def forms(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The bodies of token requests, as they come in from now on."""
        seen: list[str] = []
        note = self.world.journal.note

        def noted(request: Request, response: Response, *, fault: str | None = None) -> None:
            if request.service == "entra" and request.method == "POST":
                seen.append(request.body.decode())
            note(request, response, fault=fault)

        monkeypatch.setattr(self.world.journal, "note", noted)
        return seen

    async def close(self) -> None:
        for each in self._providers:
            await each.close()

    def asked(self, service: str, method: str = "POST") -> int:
        """How many requests a service answered."""
        counters = self.world.journal.counters
        return sum(n for key, n in counters.items() if key.startswith(f"{service} {method} "))


def workload(
    client: str = CLIENT, tenant: str = TENANT, account: str = "team/sync"
) -> WorkloadIdentityAuth:
    return WorkloadIdentityAuth(tenant, client, account)


def vaulted(name: str = "graph", url: str = "https://corp.vault.azure.net") -> ClientSecretAuth:
    return ClientSecretAuth(
        TENANT,
        CLIENT,
        key_vault=KeyVaultReference(url, name),
        vault_identity=workload(READER),
    )


def handed(
    tenant: str = TENANT, client: str = CLIENT, origin: str = "secret client/value"
) -> ClientSecretAuth:
    return ClientSecretAuth(tenant, client, secret=SecretFile(origin))


@pytest.fixture
async def sign_in() -> AsyncIterator[SignIn]:
    sign_in = SignIn()
    async with sign_in.simulator:
        yield sign_in
        await sign_in.close()
