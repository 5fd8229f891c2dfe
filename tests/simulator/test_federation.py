"""Sign-in without a secret: a cluster's token, or a certificate."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.identity import WorkloadIdentityCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cirahub_simulator.client import AdminClient
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB, READ_ONLY, TENANTS, VAULT_READER

from .conftest import VAULT_SCOPE, SignIn
from .issuer import Issuer


@pytest.fixture
def issuer(admin: AdminClient) -> Iterator[Issuer]:
    with Issuer() as cluster:
        admin.set_cluster(cluster.url, ca_pem=cluster.ca_pem)
        yield cluster


def assertion(token: str) -> dict[str, Any]:
    return {"client_assertion": lambda: token}


@pytest.mark.parametrize(
    "subject",
    [
        "system:serviceaccount:cirahub-demo:cirahub-sync",
        "system:serviceaccount:cirahub-system:cirahub-operator",
    ],
)
def test_a_service_account_token_signs_in(sign_in: SignIn, issuer: Issuer, subject: str) -> None:
    assert sign_in.token(assertion(issuer.token(subject)))


def test_workload_identity_credential_signs_in_with_a_projected_token(
    simulator: EmbeddedSimulator, issuer: Issuer, tmp_path: Path
) -> None:
    projected = tmp_path / "token"
    projected.write_text(issuer.token(), encoding="ascii")

    with WorkloadIdentityCredential(
        tenant_id=TENANTS[1].id,
        client_id=VAULT_READER,
        token_file_path=str(projected),
        authority=simulator.endpoints.entra,
        disable_instance_discovery=True,
        connection_verify=simulator.endpoints.ca_file,
    ) as credential:
        assert credential.get_token(VAULT_SCOPE).token


def test_an_application_without_federated_credentials_gets_70021(
    sign_in: SignIn, issuer: Issuer
) -> None:
    answer = sign_in.ask(assertion(issuer.token()), client_id=READ_ONLY)

    assert answer["error_codes"] == [70021]


def test_a_token_of_another_issuer_gets_700211(sign_in: SignIn, issuer: Issuer) -> None:
    answer = sign_in.ask(assertion(issuer.token(iss="https://elsewhere.example")))

    assert answer["error_codes"] == [700211]
    assert answer["error"] == "invalid_request"


def test_another_subject_gets_700213(sign_in: SignIn, issuer: Issuer) -> None:
    answer = sign_in.ask(assertion(issuer.token("system:serviceaccount:cirahub-demo:default")))

    assert answer["error_codes"] == [700213]


@pytest.mark.parametrize("code", [700212, 7002121])
def test_another_audience_gets_the_code_that_the_switch_names(
    sign_in: SignIn, issuer: Issuer, admin: AdminClient, code: int
) -> None:
    admin.switch(federation_audience_code=code, federation_error="invalid_client")

    answer = sign_in.ask(assertion(issuer.token(audience="https://kubernetes.default.svc")))

    assert answer["error_codes"] == [code]
    assert answer["error"] == "invalid_client"


def test_an_expired_token_gets_700024(sign_in: SignIn, issuer: Issuer) -> None:
    old = int(time.time()) - 7200

    answer = sign_in.ask(assertion(issuer.token(nbf=old, exp=old + 3600)))

    assert answer["error_codes"] == [700024]


def test_a_forged_signature_is_refused(sign_in: SignIn, issuer: Issuer) -> None:
    with Issuer() as forger:
        forger.kid = issuer.kid
        forged = forger.token(iss=issuer.url)

    assert sign_in.ask(assertion(forged))["error_codes"] == [50013]


def test_an_unsigned_token_is_refused(sign_in: SignIn, issuer: Issuer) -> None:
    header, payload, _ = issuer.token().split(".")

    assert sign_in.ask(assertion(f"{header}.{payload}."))["error_codes"] == [50013]


def test_something_that_is_no_token_is_refused(sign_in: SignIn, issuer: Issuer) -> None:
    assert sign_in.ask(assertion("nonsense"))["error_codes"] == [50027]


def test_keys_are_read_once_and_again_after_the_cluster_rotated_them(
    sign_in: SignIn, issuer: Issuer
) -> None:
    sign_in.token(assertion(issuer.token()))
    sign_in.token(assertion(issuer.token()))
    assert len(issuer.requests) == 2

    issuer.rotate()

    assert sign_in.token(assertion(issuer.token()))
    assert len(issuer.requests) == 4


def test_an_issuer_that_is_not_trusted_by_its_ca_is_unreachable(
    sign_in: SignIn, admin: AdminClient
) -> None:
    with Issuer() as cluster, Issuer() as other:
        admin.set_cluster(cluster.url, ca_pem=other.ca_pem)

        answer = sign_in.ask(assertion(cluster.token()))

    assert answer["error_codes"] == [90061]


def test_given_keys_need_no_issuer_to_ask(sign_in: SignIn, admin: AdminClient) -> None:
    with Issuer() as cluster:
        admin.set_cluster(cluster.url, jwks=cluster.document("/openid/v1/jwks"))

        assert sign_in.token(assertion(cluster.token()))

    assert cluster.requests == []


def test_a_certificate_signs_in(sign_in: SignIn, simulator: EmbeddedSimulator) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = self_signed(key)
    application = simulator.world.directory.application(CIRAHUB)
    assert application is not None
    application.certificates.append(certificate.public_bytes(serialization.Encoding.DER))

    registered = {
        "private_key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        "public_certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
    }

    assert sign_in.ask(registered).keys() >= {"access_token"}
    application.certificates.clear()
    assert sign_in.ask(registered)["error_codes"] == [700027]


def self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cirahub")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
