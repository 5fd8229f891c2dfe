"""Signing in with a certificate, from a vault or a Secret, over real sockets."""

from __future__ import annotations

import base64
import logging
import traceback
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cirahub_sync.configuration import (
    ClientCertificateAuth,
    EntraAuth,
    KeyVaultReference,
    SecretFile,
)
from cirahub_sync.errors import CirahubError, ConfigurationError, CredentialError
from cirahub_sync.identity.base import Material
from cirahub_sync.identity.certificate import certificate_of

from .authority import KeyPair
from .conftest import CLIENT, READER, SCOPE, TENANT, SignIn, workload

VAULT = "https://corp.vault.azure.net"
PFX = "application/x-pkcs12"
PEM = "application/x-pem-file"


def vaulted(version: str = "") -> ClientCertificateAuth:
    reference = KeyVaultReference(VAULT, "signing", version)
    return ClientCertificateAuth(TENANT, CLIENT, reference, workload(READER))


def handed(origin: str = "secret tls") -> ClientCertificateAuth:
    return ClientCertificateAuth(TENANT, CLIENT, secret=SecretFile(origin))


def registered(sign_in: SignIn, pair: KeyPair) -> KeyPair:
    sign_in.application.certificates.append(pair.der)
    return pair


async def refused(sign_in: SignIn, auth: EntraAuth, pair: KeyPair) -> CirahubError:
    """The error of a sign-in, in whose whole chain there is nothing of the key."""
    tokens = sign_in.provider(auth)
    with pytest.raises(CirahubError) as caught:
        await tokens.token(SCOPE)
    told = "".join(traceback.format_exception(caught.value))
    assert not [piece for piece in pair.secrets if piece in told]
    assert "eyJ" not in told
    assert "team/contoso" in str(caught.value)
    return caught.value


@pytest.mark.parametrize("form", ["pfx", "pem"])
async def test_a_certificate_in_a_vault_signs_in(sign_in: SignIn, form: str) -> None:
    pair = registered(sign_in, KeyPair())
    value = pair.pfx() if form == "pfx" else pair.pem
    sign_in.vault.import_certificate("signing", value, 0)

    token = await sign_in.provider(vaulted()).token(SCOPE)

    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert (claims["appid"], claims["appidacr"]) == (CLIENT, "2")


async def test_a_certificate_in_a_secret_signs_in(sign_in: SignIn) -> None:
    pair = registered(sign_in, KeyPair())
    sign_in.cluster.secrets["secret tls"] = f"{pair.public}\n{pair.private()}"
    assert (await sign_in.provider(handed()).token(SCOPE)).token


async def test_the_leaf_is_found_in_a_chain(sign_in: SignIn) -> None:
    pair, issuer = registered(sign_in, KeyPair()), KeyPair(1)
    sign_in.cluster.secrets["secret tls"] = issuer.public + pair.public + pair.private()
    assert (await sign_in.provider(handed()).token(SCOPE)).token


async def test_the_assertion_names_the_certificate_by_sha_256_and_is_signed_with_pss(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://learn.microsoft.com/entra/identity-platform/certificate-credentials"""
    pair = registered(sign_in, KeyPair())
    sign_in.vault.import_certificate("signing", pair.pfx(), 0)
    forms = sign_in.forms(monkeypatch)
    await sign_in.provider(vaulted()).token(SCOPE)
    assertion = parse_qs(forms[-1])["client_assertion"][0]
    header = jwt.get_unverified_header(assertion)
    assert header["alg"] == "PS256"
    assert "x5t" not in header
    assert header["x5t#S256"]


async def test_the_private_key_is_in_no_log_and_no_representation(
    sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    pair = registered(sign_in, KeyPair())
    sign_in.vault.import_certificate("signing", pair.pfx(), 0)
    with caplog.at_level(logging.DEBUG):
        tokens = sign_in.provider(vaulted())
        await tokens.token(SCOPE)
    material = Material(value=pair.pem)
    shown = f"{caplog.text} {tokens!r} {material!r} {certificate_of(material, 'it')!r}"
    assert not [piece for piece in pair.secrets if piece in shown]
    assert pair.pfx()[:40] not in shown


async def test_a_certificate_that_is_not_registered(sign_in: SignIn) -> None:
    pair = KeyPair()
    sign_in.vault.import_certificate("signing", pair.pfx(), 0)
    error = await refused(sign_in, vaulted(), pair)
    assert error.reason == "CertificateRejected"
    assert "AADSTS700027" in str(error)
    assert "register the certificate's public part" in str(error)


async def test_a_certificate_that_has_expired(sign_in: SignIn) -> None:
    pair = registered(sign_in, KeyPair(starts=-20, ends=-1))
    sign_in.vault.import_certificate("signing", pair.pfx(), 0)
    error = await refused(sign_in, vaulted(), pair)
    assert (error.reason, error.stalled) == ("CertificateExpired", True)
    assert "store a new version" in str(error)


async def test_a_certificate_that_is_not_valid_yet_is_waited_for(sign_in: SignIn) -> None:
    pair = registered(sign_in, KeyPair(starts=2))
    sign_in.vault.import_certificate("signing", pair.pfx(), 0)
    error = await refused(sign_in, vaulted(), pair)
    assert (error.reason, error.stalled) == ("NotYetValid", False)


@pytest.mark.parametrize("switch", ["ignored", "enforced"])
async def test_a_certificate_is_not_valid_yet_whatever_the_vault_does_about_it(
    sign_in: SignIn, switch: str
) -> None:
    sign_in.switch(vault_expiry=switch)
    pair = registered(sign_in, KeyPair(starts=2))
    sign_in.vault.import_certificate("signing", pair.pfx(), 0)
    assert (await refused(sign_in, vaulted(), pair)).reason == "NotYetValid"


@pytest.mark.parametrize(
    ("value", "content_type", "told"),
    [
        (KeyPair().protected_pfx, PFX, "protected by a password"),
        (KeyPair().protected_pem, PEM, "protected by a password"),
        (KeyPair().public, PEM, "no private key"),
        (KeyPair().private(), PEM, "no certificate in it belongs"),
        (KeyPair(1).public + KeyPair().private(), PEM, "no certificate in it belongs"),
        ("garbage!", "", "neither PEM"),
        ("garbage!", PFX, "neither PEM"),
        (base64.b64encode(b"no pfx").decode(), PFX, "protected by a password, or is none"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", PEM, "not PEM"),
    ],
)
async def test_what_is_no_certificate_is_said_to_be_none(
    sign_in: SignIn, value: str, content_type: str, told: str
) -> None:
    sign_in.vault.put("signing", value, 0, content_type=content_type or None)
    error = await refused(sign_in, vaulted(), KeyPair())
    assert (type(error), error.reason) == (CredentialError, "CertificateInvalid")
    assert told in str(error)
    assert "secret signing" in str(error)
    assert sign_in.asked("entra") == 1, "nothing but the vault's reader signed in"


def test_a_key_that_entra_does_not_take() -> None:
    pair = KeyPair()
    pair.key = ec.generate_private_key(ec.SECP256R1())
    pair.certificate = pair.signed()
    with pytest.raises(CredentialError, match="not RSA"):
        certificate_of(Material(value=pair.pem), "it")


async def test_a_pinned_version_stays_the_one(sign_in: SignIn) -> None:
    first, second = registered(sign_in, KeyPair()), KeyPair(1)
    pinned = sign_in.vault.import_certificate("signing", first.pfx(), 0).version
    sign_in.vault.import_certificate("signing", second.pfx(), 0)
    assert (await sign_in.provider(vaulted(pinned)).token(SCOPE)).token


async def test_exactly_one_place_of_the_certificate(sign_in: SignIn) -> None:
    reference = KeyVaultReference(VAULT, "signing")
    for auth in (
        ClientCertificateAuth(TENANT, CLIENT),
        ClientCertificateAuth(TENANT, CLIENT, reference, workload(READER), SecretFile("x")),
        ClientCertificateAuth(TENANT, CLIENT, reference),
    ):
        with pytest.raises(ConfigurationError):
            sign_in.provider(auth)
