"""Response messages: one for each thing that a request asks for, each with its own success.

[MS-OXWSCDATA] 2.2.4.67 (ResponseMessageType).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from cirahub_simulator.calendar.errors import CalendarError
from cirahub_simulator.ews.envelope import error_message, success
from cirahub_simulator.ews.errors import EwsError, SoapFaultError
from cirahub_simulator.ews.markup import Element, add, element
from cirahub_simulator.graph.errors import GraphError

Asked = TypeVar("Asked")


def each(
    operation: str,
    asked: Iterable[Asked],
    do: Callable[[Asked], Iterable[Element]],
    *,
    required: str | None = None,
) -> list[Element]:
    """A message for each; `do` answers what comes after the response code.

    `required` is an element that the schema wants in a message even when it is one of an error.
    """
    return [message(operation, partial(do, one), required=required) for one in asked]


def message(
    operation: str, do: Callable[[], Iterable[Element]], *, required: str | None = None
) -> Element:
    """One message."""
    tag = f"m:{operation}ResponseMessage"
    try:
        content = list(do())
    except SoapFaultError:
        raise
    except EwsError as error:
        return failure(tag, error, required)
    except (GraphError, CalendarError) as error:
        return failure(tag, EwsError(error.code, error.message), required)
    made = success(tag)
    made.extend(content)
    return made


def failure(tag: str, error: EwsError, required: str | None) -> Element:
    """A message of an error."""
    made = error_message(element(tag), error)
    if required is not None:
        add(made, required)
    return made


def wrapped(prefixed: str, content: Iterable[Element]) -> Element:
    """An element around others."""
    made = element(prefixed)
    made.extend(content)
    return made
