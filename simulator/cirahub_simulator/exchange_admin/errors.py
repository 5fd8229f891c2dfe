"""Refusals, in the form that callers parse.

`error.details[0].message` holds `id|class of the exception|text`, as the module prints it
(github.com/timmcmic/DLConversionV2, issue 129); CIPP reads it, else `error.message`, else
`error.innererror.internalException.message`. Which status belongs to which exception is an
assumption: 404 to what is not found, 400 to the rest.
"""

from __future__ import annotations

import uuid

import msgspec

from cirahub_simulator.wire import Request, Response

_TASKS = "Microsoft.Exchange.Configuration.Tasks."
_DATA = "Microsoft.Exchange.Data."
_DIRECTORY = "Microsoft.Exchange.Data.Directory."
SERVER = "AM0PR01A001DC01.EURPR01A001.PROD.OUTLOOK.COM"


class CmdletError(Exception):
    """A cmdlet that failed."""

    def __init__(self, status: int, code: str, exception: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.exception = exception
        """The class of Exchange's exception; blank: a refusal before any cmdlet ran."""


def not_found(identity: str) -> CmdletError:
    """No object of the cmdlet's kind has this identity."""
    return CmdletError(
        404,
        "NotFound",
        f"{_TASKS}ManagementObjectNotFoundException",
        f"The operation couldn't be performed because object '{identity}' couldn't be found on "
        f"'{SERVER}'.",
    )


def name_taken(name: str) -> CmdletError:
    """Another object has this name."""
    return _bad(
        f"{_DIRECTORY}ADObjectAlreadyExistsException",
        f'The name "{name}" is already being used. Please try another name.',
    )


def alias_taken(alias: str, by: str) -> CmdletError:
    """Another recipient has this alias."""
    return _bad(
        f"{_TASKS}RecipientTaskException",
        f'The value "{alias}" of property "Alias" is used by another recipient object "{by}". '
        "Please specify a unique value.",
    )


def address_taken(address: str, by: str) -> CmdletError:
    """Another recipient has this address:
    https://learn.microsoft.com/exchange/troubleshoot/email-alias/proxy-address-being-used."""
    return _bad(
        f"{_DIRECTORY}ProxyAddressExistsException",
        f'The proxy address "SMTP:{address}" is already being used by the proxy addresses or '
        f'LegacyExchangeDN of "{by}". Please choose another proxy address.',
    )


def too_long(name: str, most: int, length: int) -> CmdletError:
    """A value longer than its attribute."""
    return _bad(
        f"{_DATA}DataValidationException",
        f"Property '{name}': The length of the property is too long. The maximum length is {most} "
        f"and the length of the value provided is {length}.",
    )


def invalid(name: str, value: object, kind: str) -> CmdletError:
    """A value that can't be what the parameter takes."""
    return _bad(
        "System.Management.Automation.ParameterBindingException",
        f"Cannot process argument transformation on parameter '{name}'. Cannot convert value "
        f'"{value}" to type "{kind}".',
    )


def no_parameter(name: str) -> CmdletError:
    """A parameter that the cmdlet hasn't got, or that the caller's roles keep from it."""
    return _bad(
        "System.Management.Automation.ParameterBindingException",
        f"A parameter cannot be found that matches parameter name '{name}'.",
    )


def missing_parameter(name: str) -> CmdletError:
    """A parameter without which the cmdlet can't do anything."""
    return _bad(
        "System.Management.Automation.ParameterBindingException",
        f"Cannot process command because of one or more missing mandatory parameters: {name}.",
    )


def bad_filter(text: str) -> CmdletError:
    """A filter that can't be read."""
    return _bad(f"{_DATA}ParsingInvalidFilterOperatorException", f'Invalid filter syntax. "{text}"')


def no_cmdlet(name: str) -> CmdletError:
    """A cmdlet that isn't there, or that the caller's roles keep from it."""
    return _bad(
        "System.Management.Automation.CommandNotFoundException",
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or "
        "operable program.",
    )


def bad_request(message: str) -> CmdletError:
    """A request that names no cmdlet."""
    return CmdletError(400, "BadRequest", "", message)


def error_answer(request: Request, error: CmdletError, *, named: bool) -> Response:
    """`named`: whether the exception's class is told with the text."""
    text = str(error)
    if error.exception and named:
        text = f"{uuid.uuid4().hex[:8].upper()}|{error.exception}|{text}"
    detail = {"code": "Context", "target": "", "message": text}
    body: dict[str, object] = {"code": error.code, "message": f"Error executing request. {error}"}
    if error.exception:
        body["details"] = [detail]
        body["innererror"] = {
            "message": f"Error executing cmdlet : {error}",
            "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
            "internalException": {"message": text, "type": error.exception},
        }
    return Response(error.status, headers(request), msgspec.json.encode({"error": body}))


def headers(request: Request) -> dict[str, str]:
    """What every answer carries; the client's own id comes back."""
    made = str(uuid.uuid4())
    return {
        "Content-Type": "application/json;odata.metadata=minimal",
        "request-id": made,
        "client-request-id": request.headers.get("client-request-id") or made,
    }


def _bad(exception: str, message: str) -> CmdletError:
    return CmdletError(400, "BadRequest", exception, message)
