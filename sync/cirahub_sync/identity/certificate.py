"""A certificate with its private key, out of PEM or PFX.

https://learn.microsoft.com/azure/key-vault/certificates/about-certificates: a certificate's secret
holds PEM (`application/x-pem-file`), or a PFX without a password in base64
(`application/x-pkcs12`). A Kubernetes Secret holds PEM.
"""

from __future__ import annotations

import base64
import binascii
import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import Material
from cirahub_sync.identity.entra import Certificate

PFX = "application/x-pkcs12"
_KEY = re.compile(
    r"-----BEGIN (?P<kind>[A-Z ]*PRIVATE KEY)-----.*?-----END (?P=kind)-----", re.DOTALL
)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def certificate_of(material: Material, what: str) -> Certificate:
    """`what` names where it is kept. Raises CredentialError(reason="CertificateInvalid"), which
    quotes nothing of it."""
    pem = "-----BEGIN " in material.value
    if material.content_type == PFX or not pem:
        key, certificates = _from_pfx(material.value, what)
    else:
        key, certificates = _from_pem(material.value, what)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _invalid(what, "its key is not RSA, which is all that Entra accepts")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for certificate in certificates:
        of = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if of == public:
            return Certificate(
                key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
                certificate=certificate.public_bytes(Encoding.PEM).decode(),
                not_before=certificate.not_valid_before_utc.timestamp(),
                not_after=certificate.not_valid_after_utc.timestamp(),
            )
    raise _invalid(what, "no certificate in it belongs to its private key")


def _from_pem(value: str, what: str) -> tuple[object, list[x509.Certificate]]:
    key = _KEY.search(value)
    if key is None:
        raise _invalid(
            what,
            "there is no private key in it. A vault's certificate has to have an exportable key",
        )
    if "ENCRYPTED" in key[0]:
        raise _invalid(what, "its private key is protected by a password; store it without one")
    try:
        return load_pem_private_key(key[0].encode(), None), [
            x509.load_pem_x509_certificate(each.encode()) for each in _CERTIFICATE.findall(value)
        ]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause stays out of the chain: it may quote what it could not read.
        raise _invalid(what, "it is not PEM that can be read") from None


def _from_pfx(value: str, what: str) -> tuple[object, list[x509.Certificate]]:
    try:
        data = base64.b64decode("".join(value.split()), validate=True)
    except binascii.Error:
        raise _invalid(
            what, "it is neither PEM with certificate and private key nor a PFX in base64"
        ) from None
    for password in (None, b""):
        try:
            key, certificate, others = pkcs12.load_key_and_certificates(data, password)
        except (ValueError, UnsupportedAlgorithm):
            continue
        if key is None or certificate is None:
            raise _invalid(what, "the PFX holds no private key, or no certificate")
        return key, [certificate, *others]
    raise _invalid(
        what, "the PFX is protected by a password, or is none; store it without a password"
    )


def _invalid(what: str, why: str) -> CredentialError:
    return CredentialError(
        f"{what} is no certificate to sign in with: {why}", reason="CertificateInvalid"
    )
