"""The endpoints of login.microsoftonline.com that an application without a user needs, and the page
on which an administrator consents to it."""

from __future__ import annotations

import hmac
import re
import uuid
from collections.abc import Collection
from email.utils import format_datetime
from urllib.parse import parse_qs

import msgspec

from cirahub_simulator.clouds import CLOUDS, Cloud
from cirahub_simulator.directory import Application, Tenant
from cirahub_simulator.entra import consent, failure
from cirahub_simulator.entra.assertion import verify_assertion
from cirahub_simulator.entra.failure import EntraError
from cirahub_simulator.entra.token import OUTLOOK, RESOURCES, TokenAuthority
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523 section 2.2."""

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DOMAIN = re.compile(r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+")
_SHARED = frozenset({"common", "organizations"})


class EntraService:
    """Discovery, keys and tokens of one authority.

    Awaits only the keys of a federated token's issuer.
    """

    def __init__(
        self, world: World, tokens: TokenAuthority, cloud: Cloud = CLOUDS["Global"]
    ) -> None:
        self._world = world
        self._tokens = tokens
        self._cloud = cloud

    async def handle(self, request: Request) -> Response:
        """Answer one request; RFC 9110 6.6.1 (Date), by the simulator's clock."""
        now = self._world.clock.now()
        try:
            answer = await self._route(request)
        except EntraError as error:
            answer = error.response(request, now)
        answer.headers["Date"] = format_datetime(now, usegmt=True)
        return answer

    async def _route(self, request: Request) -> Response:
        tenant, _, rest = request.path.lstrip("/").partition("/")
        route = (request.method, rest)
        if route == ("GET", "v2.0/.well-known/openid-configuration"):
            return _json(200, self._configuration(request, tenant, "2.0"))
        if route == ("GET", ".well-known/openid-configuration"):
            return _json(200, self._configuration(request, tenant, "1.0"))
        if route in (("GET", "discovery/v2.0/keys"), ("GET", "discovery/keys")):
            return _json(200, self._tokens.jwks())
        if route == ("GET", "discovery/instance"):
            return _json(200, self._instance(request))
        if route == ("POST", "oauth2/v2.0/token"):
            return await self._token(request, tenant)
        if request.method in {"GET", "POST"} and rest in consent.PATHS:
            return self._consent(request, tenant, second=consent.PATHS[rest])
        return _json(404, {"error": "invalid_request", "error_description": "Not found."})

    def _configuration(self, request: Request, name: str, version: str) -> dict[str, object]:
        """https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc.

        The issuer is the real cloud's; endpoints carry the origin that the client asked.
        """
        cloud = self._cloud
        if name in _SHARED:
            tenant_id = "{tenantid}"
            base = f"{request.origin}/{name}"
        else:
            tenant = self._tenant(name, "invalid_tenant")
            tenant_id = tenant.id
            cloud = CLOUDS[tenant.cloud]
            away = cloud.authority != self._cloud.authority
            named = away and self._world.switches.other_clouds == "named"
            base = f"{cloud.authority if named else request.origin}/{tenant_id}"
        second = version == "2.0"
        return {
            "token_endpoint": f"{base}/oauth2/{'v2.0/' if second else ''}token",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "private_key_jwt",
            ],
            "jwks_uri": f"{base}/discovery/{'v2.0/' if second else ''}keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{cloud.authority}/{tenant_id}/v2.0"
            if second
            else f"{cloud.issuer}{tenant_id}/",
            "authorization_endpoint": f"{base}/oauth2/{'v2.0/' if second else ''}authorize",
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver"],
            "tenant_region_scope": cloud.region,
            **({"tenant_region_sub_scope": cloud.sub_region} if cloud.sub_region else {}),
            "cloud_instance_name": cloud.instance,
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": cloud.graph.removeprefix("https://"),
        }

    def _instance(self, request: Request) -> dict[str, object]:
        """Instance discovery, which MSAL asks before it trusts an authority it doesn't know.

        https://learn.microsoft.com/entra/msal/python (instance_discovery) describes its use; the
        body is what `msal.authority` reads.
        """
        asked = parse_qs(request.query).get("authorization_endpoint", [""])[0]
        tenant = asked.split("/")[3] if asked.count("/") >= 3 else "common"
        host = request.origin.partition("://")[2]
        return {
            "tenant_discovery_endpoint": (
                f"{request.origin}/{tenant}/v2.0/.well-known/openid-configuration"
            ),
            "api-version": "1.1",
            "metadata": [
                {"preferred_network": host, "preferred_cache": host, "aliases": [host]},
            ],
        }

    async def _token(self, request: Request, name: str) -> Response:
        """The client credentials grant.

        https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
        """
        form = {
            key: values[0]
            for key, values in parse_qs(request.body.decode("utf-8", "replace")).items()
        }
        tenant = self._tenant(name, "invalid_request")
        if CLOUDS[tenant.cloud].authority != self._cloud.authority:
            raise failure.other_cloud(self._world.switches.cross_cloud_code)
        grant = _required(form, "grant_type")
        if grant != "client_credentials":
            raise failure.unsupported_grant(grant)
        client_id = _required(form, "client_id")
        hosts = self._world.directory.hybrid_hosts(tenant.id)
        resource, audience = _resource(_required(form, "scope"), tenant, hosts)
        application = self._application(client_id, tenant)
        if "client_assertion" in form:
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise failure.missing_parameter("client_assertion_type")
            await verify_assertion(self._world, tenant, application, form["client_assertion"])
            acr = "2"
        elif "client_secret" in form:
            self._verify_secret(application, form["client_secret"])
            acr = "1"
        else:
            raise failure.no_credential()
        if application.blocked and tenant.id == application.home_tenant_id:
            # After the credential: learn.microsoft.com/entra/identity/conditional-access/overview.
            raise failure.blocked(self._world.switches.blocked_error)
        token = self._tokens.issue(tenant, application, resource, audience, acr)
        lifetime = self._tokens.lifetime
        answer = _json(
            200,
            {
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": token,
            },
        )
        answer.headers["Cache-Control"] = "no-store, no-cache"
        answer.headers["x-ms-request-id"] = str(uuid.uuid4())
        return answer

    def _consent(self, request: Request, name: str, *, second: bool) -> Response:
        """For people: errors are pages, too."""
        try:
            tenant = self._tenant(name, "invalid_request")
            client_id = parse_qs(request.query).get("client_id", [""])[0]
            if not client_id:
                raise failure.missing_parameter("client_id")
            application = self._world.directory.application(client_id)
            if application is None:
                raise failure.unknown_application(client_id, tenant.display_name)
            answer = consent.page if request.method == "GET" else consent.answered
            return answer(request, tenant, application, second=second)
        except EntraError as error:
            return consent.refused(error)

    def _tenant(self, name: str, error: str) -> Tenant:
        tenant = self._world.directory.tenant(name)
        if tenant is not None and (
            CLOUDS[tenant.cloud].authority == self._cloud.authority
            or (self._cloud.name == "Global" and self._world.switches.other_clouds != "unknown")
        ):
            return tenant
        if _GUID.fullmatch(name) or _DOMAIN.fullmatch(name):
            raise failure.unknown_tenant(name, error)
        raise failure.malformed_tenant(name, error)

    def _application(self, client_id: str, tenant: Tenant) -> Application:
        application = self._world.directory.application(client_id)
        if application is None or (
            tenant.id not in application.granted and tenant.id != application.home_tenant_id
        ):
            raise failure.unknown_application(client_id, tenant.display_name)
        if not application.enabled:
            raise failure.disabled_application(client_id, application.display_name)
        return application

    def _verify_secret(self, application: Application, value: str) -> None:
        now = self._world.clock.now()
        expired = False
        for secret in application.secrets:
            if hmac.compare_digest(secret.value.encode(), value.encode()):
                if secret.expires > now:
                    return
                expired = True
        if expired:
            raise failure.expired_secret(application.client_id)
        raise failure.wrong_secret(application.client_id)


def _required(form: dict[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        raise failure.missing_parameter(name)
    return value


def _resource(scope: str, tenant: Tenant, hosts: Collection[str]) -> tuple[str, str]:
    """The resource that a `.default` scope names, and the audience its token gets.

    MSAL adds no OIDC scopes to this grant; others do, and Entra ignores them. `hosts` are those of
    Exchange Servers that are registered as service principal names of Exchange Online's:
    https://learn.microsoft.com/microsoft-365/enterprise/configure-exchange-server-for-hybrid-modern-authentication
    """
    wanted = [s for s in scope.split() if s not in ("openid", "profile", "offline_access")]
    if len(wanted) != 1 or not wanted[0].endswith("/.default"):
        raise failure.bad_scope(scope)
    audience = wanted[0].removesuffix("/.default")
    if audience.rstrip("/").removeprefix("https://") in hosts:
        return OUTLOOK, audience
    cloud = CLOUDS[tenant.cloud]
    foreign = {
        resource
        for other in CLOUDS.values()
        for resource in other.resources
        if resource not in cloud.resources
    }
    for resource, application_id in RESOURCES.items():
        if resource not in foreign and audience.rstrip("/") in (resource, application_id):
            return resource, audience
    raise failure.unknown_resource(audience, tenant.display_name)


def _json(status: int, body: object) -> Response:
    return Response(
        status, {"Content-Type": "application/json; charset=utf-8"}, msgspec.json.encode(body)
    )
