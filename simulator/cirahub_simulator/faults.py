"""Faults by rule: what goes wrong, when, and how often.

A real tenant offers no such thing; the admin endpoint adds and removes rules. Rules are asked in
the order they were added, and the first one that matches and fires decides.
"""

from __future__ import annotations

import random
import re
from datetime import datetime
from typing import Literal

import msgspec

from cirahub_simulator.ews.envelope import fault as soap_fault
from cirahub_simulator.ews.envelope import refused_each
from cirahub_simulator.ews.errors import EwsError, SoapFaultError
from cirahub_simulator.exchange_admin.errors import CmdletError
from cirahub_simulator.exchange_admin.errors import error_answer as cmdlet_failed
from cirahub_simulator.odata import graph_error
from cirahub_simulator.wire import Request, Response

Kind = Literal["status", "delay", "drop", "truncate", "replace", "repeat"]
Moment = Literal["before", "after"]


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which requests fail, and how.

    For a request inside a `$batch` only `status` applies: a part of one answer can't lose its
    connection. `batched` narrows a rule to such requests, or keeps it off them.
    """

    id: str = ""
    kind: Kind
    service: (
        Literal["entra", "keyvault", "graph", "ews", "exchange-admin", "notification"] | None
    ) = None
    """`notification`: what Graph itself sends, to the endpoint of a subscription. Of those, `drop`
    loses one, `delay` lets it come later and `repeat`, which is for nothing else, twice."""
    method: str | None = None
    path: str | None = None
    """A regular expression searched in the raw path (Graph's without `/v1.0`), or in the URL that a
    notification goes to."""
    operation: str | None = None
    """An operation of Exchange Web Services, e.g. `CreateItem`, a cmdlet, e.g. `Set-Contact`, or of
    a notification its changeType or lifecycleEvent, e.g. `missed`."""
    tenant: str | None = None
    """The id of the tenant, or Exchange Server organisation, that the caller has signed in to."""
    header: tuple[str, str] | None = None
    """A header's name and a regular expression searched in its value."""
    batched: bool | None = None
    probability: float = 1.0
    skip: int = 0
    """Let this many matching requests pass first."""
    count: int | None = None
    """Fire this often, then never again. None: without end."""
    moment: Moment = "before"
    """Before the request takes effect, or after it did. A body is always truncated, and a part of
    it replaced, after."""
    status: int = 503
    retry_after: int | None = None
    """Seconds, sent as `Retry-After`."""
    code: str | None = None
    """`error.code` of the body. None: a code that suits the status.

    Of Exchange Web Services: the response code of a SOAP fault, or, with status 200, of a message
    for each thing that was asked for, with `retry_after` as BackOffMilliseconds; without one, a
    status other than 500 is IIS's own answer, and no SOAP.

    Of Exchange's administration: with dots in it, the class of the exception that a cmdlet met.
    """
    delay: float = 0.0
    """Seconds to wait (kind `delay`)."""
    keep_bytes: int = 20
    """How much of the body a truncated answer still carries."""
    find: str = ""
    put: str = ""
    """What stands in the place of `find`, wherever that is in the body (kind `replace`): a value
    that the contract does not allow, say."""


class Fault(msgspec.Struct, frozen=True):
    """A rule that fired for one request."""

    rule: Rule

    @property
    def after_effect(self) -> bool:
        """Whether the request takes effect although the caller is told otherwise."""
        return self.rule.moment == "after"

    def replaced(self, response: Response) -> Response:
        """The answer of a `replace` fault."""
        body = response.body.replace(self.rule.find.encode(), self.rule.put.encode())
        return Response(response.status, response.headers, body)

    def response(self, request: Request, now: datetime) -> Response:
        """The answer of a `status` fault, in the form of the service that was asked."""
        rule = self.rule
        code = rule.code or _CODES.get(rule.status, "generalException")
        headers = {}
        if rule.retry_after is not None:
            headers["Retry-After"] = str(rule.retry_after)
        if request.service == "graph":
            return graph_error(request, now, rule.status, code, MESSAGE, headers=headers)
        if request.service == "ews":
            return self._soap(request, headers)
        if request.service == "exchange-admin" and "." in code:
            refused = CmdletError(rule.status, "BadRequest", code, MESSAGE)
            met = cmdlet_failed(request, refused, named=True)
            return Response(met.status, met.headers | headers, met.body)
        headers["Content-Type"] = "application/json"
        error: object = {"code": code, "message": MESSAGE}
        body: dict[str, object] = {"error": error}
        if request.service == "entra":
            body = {"error": rule.code or "temporarily_unavailable", "error_description": MESSAGE}
        return Response(rule.status, headers, msgspec.json.encode(body))

    def _soap(self, request: Request, headers: dict[str, str]) -> Response:
        rule = self.rule
        if rule.code is None and rule.status != 500:
            page = f"<html><body><h1>{rule.status}</h1><p>{MESSAGE}</p></body></html>"
            headers["Content-Type"] = "text/html"
            return Response(rule.status, headers, page.encode())
        values = {}
        if rule.retry_after is not None and rule.code == "ErrorServerBusy":
            values["BackOffMilliseconds"] = str(rule.retry_after * 1000)
            headers.clear()
        code = rule.code or "ErrorInternalServerError"
        if rule.status == 200:
            return refused_each(request.body, EwsError(code, MESSAGE, values))
        return soap_fault(SoapFaultError(code, MESSAGE, values, status=rule.status))


MESSAGE = "A fault rule of the simulator fired."

_CODES = {
    400: "badRequest",
    401: "InvalidAuthenticationToken",
    403: "ErrorAccessDenied",
    404: "ErrorItemNotFound",
    409: "ErrorIrresolvableConflict",
    410: "SyncStateNotFound",
    412: "ErrorIrresolvableConflict",
    429: "ApplicationThrottled",
    500: "ErrorInternalServerError",
    502: "BadGateway",
    503: "ServiceNotAvailable",
    504: "GatewayTimeout",
}
"""https://learn.microsoft.com/graph/errors lists the statuses; codes are the service's own."""


class _Armed:
    """A rule with its compiled patterns and counters."""

    __slots__ = ("fired", "header", "matched", "path", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.path = re.compile(rule.path) if rule.path is not None else None
        self.header = (rule.header[0].lower(), re.compile(rule.header[1])) if rule.header else None
        self.matched = 0
        self.fired = 0

    def matches(self, request: Request) -> bool:
        rule = self.rule
        if rule.service is not None and rule.service != request.service:
            return False
        if (request.service == "notification") != (rule.service == "notification"):
            return False
        if (rule.kind == "repeat" and rule.service != "notification") or (
            rule.service == "notification" and rule.kind not in ("drop", "delay", "repeat")
        ):
            return False
        if rule.method is not None and rule.method.upper() != request.method:
            return False
        batched = request.batch is not None
        if (rule.batched is not None and rule.batched != batched) or (
            batched and rule.kind != "status"
        ):
            return False
        if self.path is not None and self.path.search(request.path) is None:
            return False
        if rule.operation is not None and rule.operation != request.operation:
            return False
        caller = request.client
        if rule.tenant is not None and (caller is None or caller.tenant_id != rule.tenant):
            return False
        if self.header is not None:
            name, pattern = self.header
            if pattern.search(request.headers.get(name, "")) is None:
                return False
        return True


class Faults:
    """The rules in force. Chance comes from a seed, so that a run can be repeated."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable chance, not a secret
        self._rules: dict[str, _Armed] = {}
        self._next_id = 1

    def reseed(self, seed: int) -> None:
        """Start the sequence of chance again."""
        self._random.seed(seed)

    def add(self, rule: Rule) -> Rule:
        """Put a rule in force; return it with its id. Raises ValueError for a bad pattern."""
        if not rule.id:
            rule = msgspec.structs.replace(rule, id=str(self._next_id))
            self._next_id += 1
        try:
            self._rules[rule.id] = _Armed(rule)
        except re.error as error:
            raise ValueError(f"rule {rule.id}: bad regular expression: {error}") from error
        return rule

    def remove(self, rule_id: str) -> bool:
        """Take a rule out; say whether there was one."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Take all rules out."""
        self._rules.clear()

    def listing(self) -> list[tuple[Rule, int, int]]:
        """Each rule with how often it matched and how often it fired."""
        return [(armed.rule, armed.matched, armed.fired) for armed in self._rules.values()]

    def decide(self, request: Request) -> Fault | None:
        """The fault this request meets, if any.

        Asked once for every request of its own and once for every request inside a batch. The
        admin endpoint's own requests (no client on a Graph request) never fail.
        """
        if not self._rules or (request.client is None and request.service == "graph"):
            return None
        for armed in self._rules.values():
            if not armed.matches(request):
                continue
            armed.matched += 1
            rule = armed.rule
            if armed.matched <= rule.skip or (rule.count is not None and armed.fired >= rule.count):
                continue
            if rule.probability < 1.0 and self._random.random() >= rule.probability:
                continue
            armed.fired += 1
            return Fault(rule)
        return None
