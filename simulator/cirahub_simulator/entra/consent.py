"""The page on which an administrator consents to an application for the whole tenant.

`/{tenant}/adminconsent?client_id=…[&redirect_uri=…][&state=…]`, as
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow ("Request the
permissions from a directory admin") and
https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent (without a redirect)
have it, and `/{tenant}/v2.0/adminconsent?…&scope=…`, as
https://learn.microsoft.com/entra/identity-platform/v2-admin-consent has it.

In place of Microsoft's sign-in, whoever opens the page is taken for a Global Administrator.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from cirahub_simulator.directory import Application, Tenant
from cirahub_simulator.entra import failure
from cirahub_simulator.entra.failure import EntraError
from cirahub_simulator.wire import Request, Response

PATHS = {"adminconsent": False, "v2.0/adminconsent": True}
"""What follows the tenant, and whether it is the endpoint that asks for a scope."""

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.4rem 1.2rem;margin-right:.6rem}li{margin:.2rem 0}"
    "small{color:#555}"
)


def page(request: Request, tenant: Tenant, application: Application, *, second: bool) -> Response:
    """What the administrator sees. Raises EntraError for a request that can't be consented to."""
    asked = _Asked(request, application, second=second)
    listed = "".join(f"<li><code>{escape(role)}</code></li>" for role in asked.roles)
    wanted = (
        f"<p>It asks for these application permissions in Microsoft Graph, for every mailbox and "
        f"user of the organisation:</p><ul>{listed}</ul>"
        if asked.roles
        else "<p>It asks for no application permission.</p>"
    )
    return _html(
        200,
        f"Permissions requested: {application.display_name}",
        f"<h1>Permissions requested</h1><p><b>{escape(application.display_name)}</b> "
        f"(<code>{escape(application.client_id)}</code>) wants to act in "
        f"<b>{escape(tenant.display_name)}</b>.</p>{wanted}"
        '<form method="post"><button name="answer" value="accept">Accept</button>'
        '<button name="answer" value="cancel">Cancel</button></form>',
    )


def answered(
    request: Request, tenant: Tenant, application: Application, *, second: bool
) -> Response:
    """The form comes back: grant what the application asks for, or don't, and redirect."""
    asked = _Asked(request, application, second=second)
    answer = parse_qs(request.body.decode("utf-8", "replace")).get("answer", [""])[0]
    if answer not in {"accept", "cancel"}:
        raise failure.missing_parameter("answer")
    if answer == "accept":
        application.granted.setdefault(tenant.id, set()).update(asked.roles)
        told = {"admin_consent": "True", "tenant": tenant.id}
        if second:
            told["scope"] = asked.scope
        title, words = "Consent given", "The application may act in the organisation now."
    else:
        told = {
            "error": "permission_denied",
            "error_description": "The admin canceled the request",
        }
        title, words = "Consent refused", "Nothing was granted."
    if asked.state:
        told["state"] = asked.state
    if not asked.redirect:
        return _html(200, title, f"<h1>{title}</h1><p>{words} You can close this page.</p>")
    parts = urlsplit(asked.redirect)
    query = "&".join(filter(None, (parts.query, urlencode(told))))
    location = urlunsplit(parts._replace(query=query))
    return Response(302, {"Location": location, "Cache-Control": "no-store, no-cache"})


def refused(error: EntraError) -> Response:
    """An error that no redirect carries, since nothing says yet where to redirect to."""
    return _html(
        error.status,
        "Sign-in failed",
        f"<h1>Sorry, but we're having trouble signing you in</h1><p>{escape(str(error))}</p>",
    )


class _Asked:
    """The query, held against the application's registration."""

    def __init__(self, request: Request, application: Application, *, second: bool) -> None:
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        self.state = query.get("state", "")
        self.redirect = query.get("redirect_uri", "")
        self.scope = query.get("scope", "")
        if self.redirect and self.redirect not in application.redirect_uris:
            raise failure.unknown_redirect(self.redirect, application.client_id)
        if second and not self.scope:
            raise failure.missing_parameter("scope")
        if second and not self.redirect:
            raise failure.missing_parameter("redirect_uri")
        # Named scopes are delegated permissions; application permissions come with `.default`.
        static = not second or any(one.endswith("/.default") for one in self.scope.split())
        self.roles: Sequence[str] = sorted(application.requested) if static else ()


def _html(status: int, title: str, body: str) -> Response:
    text = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}"
        "<p><small>cirahub-simulator: nobody signs in here, and nothing leaves this machine."
        "</small></p></body></html>"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store, no-cache",
        "X-Frame-Options": "DENY",
    }
    return Response(status, headers, text.encode())
