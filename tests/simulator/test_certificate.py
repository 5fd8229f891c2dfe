"""Client assertions signed with a certificate, and certificates in Key Vault, as documented:
https://learn.microsoft.com/entra/identity-platform/certificate-credentials and
https://learn.microsoft.com/azure/key-vault/certificates/about-certificates."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from email.utils import parsedate_to_datetime
from typing import Any

import jwt
import pytest
import requests
from tests.identity.authority import KeyPair

from cirahub_simulator.client import AdminClient, AdminRefusedError
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB, TENANTS

from .conftest import GRAPH_SCOPE, VAULT_SCOPE, SignIn

CONTOSO = TENANTS[0].id
VAULT = "contoso-cirahub"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def pair(admin: AdminClient) -> KeyPair:
    """Registered with the application."""
    made = KeyPair()
    admin.add_certificate(CIRAHUB, made.public)
    return made


def thumbprint(pair: KeyPair, digest: str = "sha256") -> str:
    value = hashlib.new(digest, pair.der, usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def assertion(
    pair: KeyPair,
    *,
    algorithm: str = "PS256",
    header: dict[str, str] | None = None,
    key: Any = None,
    **claims: object,
) -> str:
    """As documented, but for what a test changes; a claim of None is left out."""
    now = int(time.time())
    documented: dict[str, object] = {
        "aud": f"https://login.microsoftonline.com/{CONTOSO}/oauth2/v2.0/token",
        "iss": CIRAHUB,
        "sub": CIRAHUB,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "iat": now,
        "exp": now + 300,
        **claims,
    }
    return jwt.encode(
        {name: value for name, value in documented.items() if value is not None},
        key or pair.key,
        algorithm=algorithm,
        headers={"x5t#S256": thumbprint(pair)} if header is None else header,
    )


def ask(simulator: EmbeddedSimulator, text: str) -> requests.Response:
    return requests.post(
        f"{simulator.endpoints.entra}/{CONTOSO}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": CIRAHUB,
            "scope": GRAPH_SCOPE,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": text,
        },
        verify=simulator.endpoints.ca_file,
        timeout=30,
    )


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
def test_an_assertion_as_documented_signs_in(
    simulator: EmbeddedSimulator, pair: KeyPair, algorithm: str
) -> None:
    answer = ask(simulator, assertion(pair, algorithm=algorithm))
    assert answer.status_code == 200
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["appidacr"] == "2"


def test_the_older_thumbprint_names_the_certificate_too(
    simulator: EmbeddedSimulator, pair: KeyPair
) -> None:
    text = assertion(pair, algorithm="RS256", header={"x5t": thumbprint(pair, "sha1")})
    assert ask(simulator, text).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"header": {}}, 700027),
        ({"header": {"x5t#S256": thumbprint(KeyPair(1))}}, 700027),
        ({"key": KeyPair(1).key}, 700027),
        ({"key": "a-shared-secret-that-is-long-enough", "algorithm": "HS256"}, 700027),
        ({"sub": str(uuid.uuid4())}, 700027),
        ({"exp": int(time.time()) - 3600}, 700024),
        ({"exp": None}, 700024),
        ({"nbf": int(time.time()) + 3600}, 700024),
        ({"aud": f"https://login.microsoftonline.com/{uuid.uuid4()}/oauth2/v2.0/token"}, 700023),
        ({"aud": "https://graph.microsoft.com"}, 700023),
    ],
)
def test_an_assertion_that_differs_is_refused(
    simulator: EmbeddedSimulator, pair: KeyPair, changes: dict[str, Any], code: int
) -> None:
    answer = ask(simulator, assertion(pair, **changes))
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [code])
    assert answer.json()["error"] == "invalid_client"


def test_whether_jti_is_asked_for_is_open(
    simulator: EmbeddedSimulator, admin: AdminClient, pair: KeyPair
) -> None:
    assert ask(simulator, assertion(pair, jti=None)).status_code == 200
    admin.switch(assertion_jti="required")
    assert ask(simulator, assertion(pair, jti=None)).json()["error_codes"] == [50027]


@pytest.mark.parametrize("days", [{"starts": -9, "ends": -1}, {"starts": 1, "ends": 9}])
def test_a_certificate_out_of_its_time_is_refused(
    simulator: EmbeddedSimulator, admin: AdminClient, days: dict[str, float]
) -> None:
    pair = KeyPair(**days)  # type: ignore[arg-type]
    admin.add_certificate(CIRAHUB, pair.public)
    assert ask(simulator, assertion(pair)).json()["error_codes"] == [700027]


def test_one_of_several_certificates_can_be_taken_away(
    simulator: EmbeddedSimulator, admin: AdminClient, pair: KeyPair
) -> None:
    second = KeyPair(1)
    named = admin.add_certificate(CIRAHUB, second.public)
    assert ask(simulator, assertion(second)).status_code == 200
    admin.remove_certificates(CIRAHUB, named)
    assert ask(simulator, assertion(second)).json()["error_codes"] == [700027]
    assert ask(simulator, assertion(pair)).status_code == 200


def test_entra_tells_its_time(simulator: EmbeddedSimulator, admin: AdminClient) -> None:
    """RFC 9110 6.6.1."""
    admin.advance(7200)
    date = ask(simulator, "nonsense").headers["Date"]
    assert parsedate_to_datetime(date).timestamp() == pytest.approx(time.time() + 7200, abs=60)


@pytest.mark.parametrize(
    ("form", "content_type"),
    [("pfx", "application/x-pkcs12"), ("pem", "application/x-pem-file")],
)
def test_the_secret_behind_a_certificate_says_what_it_is(
    simulator: EmbeddedSimulator,
    admin: AdminClient,
    sign_in: SignIn,
    form: str,
    content_type: str,
) -> None:
    pair = KeyPair(ends=30)
    value = pair.pfx() if form == "pfx" else pair.pem
    admin.put_vault_certificate(VAULT, "signing", value)
    answer = requests.get(
        f"{simulator.endpoints.vault(VAULT)}/secrets/signing?api-version=7.6",
        headers={"Authorization": f"Bearer {sign_in.token(scope=VAULT_SCOPE)}"},
        verify=simulator.endpoints.ca_file,
        timeout=30,
    )
    bundle = answer.json()
    assert bundle["value"] == value
    assert bundle["contentType"] == content_type
    assert bundle["managed"] is True
    version = bundle["id"].rpartition("/")[2]
    assert bundle["kid"].endswith(f"/keys/signing/{version}")
    until = int(pair.certificate.not_valid_after_utc.timestamp())
    since = int(pair.certificate.not_valid_before_utc.timestamp())
    assert (bundle["attributes"]["nbf"], bundle["attributes"]["exp"]) == (since, until)


def test_a_vault_takes_no_certificate_without_meaning(admin: AdminClient) -> None:
    for value in ("nonsense!", KeyPair().protected_pfx):
        with pytest.raises(AdminRefusedError):
            admin.put_vault_certificate(VAULT, "signing", value)
