"""Refusals of the token endpoint, as the reference of AADSTS codes documents them.

https://learn.microsoft.com/entra/identity-platform/reference-error-codes ("Handling error codes in
your application") for the body and the codes.
"""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from cirahub_simulator.wire import Request, Response


class EntraError(Exception):
    """A refusal: AADSTS code, OAuth error (RFC 6749 section 5.2), and what to tell the client."""

    def __init__(self, code: int, error: str, message: str, status: int | None = None) -> None:
        super().__init__(f"AADSTS{code}: {message}")
        self.code = code
        self.error = error
        self.status = status or (401 if error == "invalid_client" else 400)

    def response(self, request: Request, now: datetime) -> Response:
        """The documented body; ids are fresh, the client's own correlation id is kept."""
        trace_id = str(uuid.uuid4())
        correlation_id = request.headers.get("client-request-id") or str(uuid.uuid4())
        timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
        body = {
            "error": self.error,
            "error_description": (
                f"{self} Trace ID: {trace_id} Correlation ID: {correlation_id} "
                f"Timestamp: {timestamp}"
            ),
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        return Response(
            self.status,
            {
                "Content-Type": "application/json; charset=utf-8",
                "Cache-Control": "no-store, no-cache",
                "x-ms-request-id": trace_id,
                "client-request-id": correlation_id,
            },
            msgspec.json.encode(body),
        )


def unknown_tenant(name: str, error: str) -> EntraError:
    """AADSTS90002. Discovery calls it invalid_tenant, the token endpoint invalid_request."""
    return EntraError(
        90002,
        error,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are "
        "signing into the correct cloud.",
    )


def other_cloud(code: int) -> EntraError:
    """AADSTS900382, or another that says the same: the tenant is of another cloud."""
    if code == 90038:
        message = "The specified tenant belongs to another National Cloud."
    elif code == 900439:
        message = "USGClientNotSupportedOnPublicEndpoint."
    else:
        message = "Confidential Client is not supported in Cross Cloud request."
    return EntraError(code, "invalid_request", message)


def malformed_tenant(name: str, error: str) -> EntraError:
    """AADSTS900023: neither a GUID nor a domain name."""
    return EntraError(
        900023,
        error,
        f"Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external "
        "domain.",
    )


def missing_parameter(name: str) -> EntraError:
    """AADSTS900144."""
    return EntraError(
        900144,
        "invalid_request",
        f"The request body must contain the following parameter: '{name}'.",
    )


def unsupported_grant(grant: str) -> EntraError:
    """AADSTS70003."""
    return EntraError(
        70003, "unsupported_grant_type", f"The app requested an unsupported grant type '{grant}'."
    )


def unknown_application(client_id: str, directory: str) -> EntraError:
    """AADSTS700016: no such application, or no service principal of it in this tenant."""
    return EntraError(
        700016,
        "unauthorized_client",
        f"Application with identifier '{client_id}' was not found in the directory '{directory}'. "
        "This can happen if the application has not been installed by the administrator of the "
        "tenant or consented to by any user in the tenant.",
    )


def unknown_redirect(uri: str, client_id: str) -> EntraError:
    """AADSTS50011, InvalidReplyTo."""
    return EntraError(
        50011,
        "invalid_request",
        f"The redirect URI '{uri}' specified in the request does not match the redirect URIs "
        f"configured for the application '{client_id}'.",
    )


def disabled_application(client_id: str, name: str) -> EntraError:
    """AADSTS7000112."""
    return EntraError(
        7000112, "unauthorized_client", f"Application '{client_id}'({name}) is disabled."
    )


def blocked(error: str) -> EntraError:
    """AADSTS53003, BlockedByConditionalAccess; `error` is a switch."""
    return EntraError(
        53003,
        error,
        "Access has been blocked by Conditional Access policies. The access policy does not allow "
        "token issuance.",
    )


def no_credential() -> EntraError:
    """AADSTS7000218."""
    return EntraError(
        7000218,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or "
        "'client_secret'.",
    )


def wrong_secret(client_id: str) -> EntraError:
    """AADSTS7000215."""
    return EntraError(
        7000215,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client "
        f"secret value, not the client secret ID, for a secret added to app '{client_id}'.",
    )


def expired_secret(client_id: str) -> EntraError:
    """AADSTS7000222."""
    return EntraError(
        7000222,
        "invalid_client",
        f"The provided client secret keys for app '{client_id}' are expired.",
    )


def bad_scope(scope: str) -> EntraError:
    """AADSTS1002012.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (scope).
    """
    return EntraError(
        1002012,
        "invalid_scope",
        f"The provided value for scope {scope} is not valid. Client credential flows must have a "
        "scope value with /.default suffixed to the resource identifier (application ID URI).",
    )


def unknown_resource(resource: str, directory: str) -> EntraError:
    """AADSTS500011."""
    return EntraError(
        500011,
        "invalid_resource",
        f"The resource principal named {resource} was not found in the tenant named {directory}.",
    )


def malformed_assertion(reason: str) -> EntraError:
    """AADSTS50027."""
    return EntraError(50027, "invalid_request", f"JWT token is invalid or malformed. {reason}")


def unusable_certificate(reason: str, thumbprint: str) -> EntraError:
    """AADSTS700027, with the reason that Entra adds in brackets.

    Reported for a key that is not registered (learn.microsoft.com/answers, questions 2262614 and
    5915574); that an expired one gets the same code is in no document.
    """
    return EntraError(
        700027,
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on "
        f"application. [Reason - {reason}, Thumbprint of key used by client: '{thumbprint}']",
    )


def bad_signature(kind: str) -> EntraError:
    """AADSTS50013 for a federated token, 700027 for a certificate's assertion."""
    if kind == "certificate":
        return EntraError(
            700027,
            "invalid_client",
            "The certificate with identifier used to sign the client assertion is not registered "
            "on application, or the client assertion failed signature validation.",
        )
    return EntraError(50013, "invalid_grant", "Assertion failed signature validation.")


def assertion_time(now: datetime, start: datetime, end: datetime) -> EntraError:
    """AADSTS700024."""
    form = "%Y-%m-%dT%H:%M:%S.%fZ"
    return EntraError(
        700024,
        "invalid_client",
        f"Client assertion is not within its valid time range. Current time: {now.strftime(form)}, "
        f"assertion valid from {start.strftime(form)}, expiry time of assertion "
        f"{end.strftime(form)}.",
    )


def assertion_audience() -> EntraError:
    """AADSTS700023, for a certificate's assertion."""
    return EntraError(
        700023,
        "invalid_client",
        "Client assertion audience claim does not match Realm issuer.",
    )


def issuer_unreachable(issuer: str, reason: str) -> EntraError:
    """AADSTS90061, "Request to External OIDC endpoint failed".

    https://azure.github.io/azure-workload-identity/docs/troubleshooting.html
    """
    return EntraError(
        90061,
        "invalid_request",
        f"Request to External OIDC endpoint failed. Issuer: '{issuer}'. {reason}",
    )
