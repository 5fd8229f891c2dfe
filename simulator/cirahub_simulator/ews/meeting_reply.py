"""Response objects: what is said to a meeting by making an item that refers to it.

[MS-OXWSMTGS] 2.2.4 (AcceptItemType and its neighbours, CancelCalendarItemType);
https://learn.microsoft.com/exchange/client-developer/web-service-reference/acceptitem,
https://learn.microsoft.com/exchange/client-developer/web-service-reference/cancelcalendaritem. Mail
is not simulated: what would be sent is noted, and no message is made that could be answered.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from cirahub_simulator.calendar.event import Event, Instance, Item
from cirahub_simulator.calendar.fields import Response
from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.markup import Element, find, local_name, text_of
from cirahub_simulator.graph.mailbox import Mailbox

_DISPOSITIONS = ("SaveOnly", "SendOnly", "SendAndSaveCopy")


class _Answer(NamedTuple):
    response: Literal["accepted", "tentativelyAccepted", "declined"]
    refusal: str
    """The code for an organizer (ResponseCodeType)."""


_ANSWERS = {
    "AcceptItem": _Answer("accepted", "ErrorCalendarIsOrganizerForAccept"),
    "TentativelyAcceptItem": _Answer("tentativelyAccepted", "ErrorCalendarIsOrganizerForTentative"),
    "DeclineItem": _Answer("declined", "ErrorCalendarIsOrganizerForDecline"),
}
NAMES = frozenset((*_ANSWERS, "CancelCalendarItem"))


def reply(call: Call, node: Element) -> None:
    """Do what a response object says. Raises EwsError, SoapFaultError."""
    if call.request.get("MessageDisposition") is None:
        raise EwsError(
            "ErrorMessageDispositionRequired",
            "MessageDisposition attribute is required for messages.",
        )
    sent = attribute(call.request, "MessageDisposition", _DISPOSITIONS) != "SaveOnly"
    mailbox, item = call.item_of(child(node, "t:ReferenceItemId"))
    if not isinstance(item, Event | Instance):
        raise EwsError("ErrorInvalidReferenceItem", "The reference item is no meeting.")
    name = local_name(node)
    organizer = mailbox.calendars.meetings.is_organizer(item)
    if name == "CancelCalendarItem":
        if not organizer:
            raise EwsError("ErrorCalendarIsNotOrganizer", "Only the organizer can cancel.")
        if sent:
            mailbox.calendars.meetings.cancel(item, _text(node, "NewBodyContent"))
        mailbox.calendars.delete_item(item, send=False)
        return
    answer = _ANSWERS[name]
    if organizer:
        raise EwsError(answer.refusal, "The organizer doesn't answer his own meeting.")
    if sent:
        mailbox.calendars.meetings.answer(answer.response, item, _text(node, "Body"))
    _note(call, mailbox, item, answer)


def _note(call: Call, mailbox: Mailbox, item: Item, answer: _Answer) -> None:
    if answer.response == "declined" and call.world.switches.declined_event == "removed":
        mailbox.calendars.delete_item(item, send=False)
    else:
        stamp = f"{call.world.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        mailbox.calendars.respond(item, Response(answer.response, stamp))


def _text(node: Element, name: str) -> str | None:
    found = find(node, f"t:{name}")
    return None if found is None else text_of(found)
