"""Certificates to sign in with, made for a test."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PASSWORD = b"a-password"


@cache
def _some_key(number: int) -> rsa.RSAPrivateKey:
    """Keys take long to make, so tests share a few."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class KeyPair:
    """A self-signed certificate. `starts` and `ends` in days from now."""

    number: int = 0
    starts: float = -1.0
    ends: float = 90.0
    key: Key = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.key = _some_key(self.number)
        self.certificate = self.signed()

    def signed(self, key: Key | None = None) -> x509.Certificate:
        key = key or self.key
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"sync {self.number}")])
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=self.starts))
            .not_valid_after(now + timedelta(days=self.ends))
            .sign(key, hashes.SHA256())
        )

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def public(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def private(self, how: KeySerializationEncryption | None = None) -> str:
        return self.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, how or NoEncryption()
        ).decode()

    @property
    def pem(self) -> str:
        """As Key Vault gives it: the key first, then the certificate."""
        return self.private() + self.public

    @property
    def protected_pem(self) -> str:
        return self.private(BestAvailableEncryption(PASSWORD)) + self.public

    def pfx(self, how: KeySerializationEncryption | None = None) -> str:
        """In base64."""
        key = self.key
        data = pkcs12.serialize_key_and_certificates(
            b"sync", key, self.certificate, None, how or NoEncryption()
        )
        return base64.b64encode(data).decode()

    @property
    def protected_pfx(self) -> str:
        return self.pfx(BestAvailableEncryption(PASSWORD))

    @property
    def secrets(self) -> list[str]:
        """Pieces of the private key, none of which may turn up anywhere."""
        lines = self.private().splitlines()[1:-1]
        return [line[:40] for line in lines if len(line) >= 40]
