"""GetPersona: [MS-OXWSPERS] 3.1.4.2."""

from __future__ import annotations

from cirahub_simulator.ews import errors
from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.envelope import error_message, success
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.markup import Element, element, find
from cirahub_simulator.ews.persona import read_persona_id, render

_TAG = "m:GetPersonaResponseMessage"


def answer(call: Call) -> Element:
    """The whole answer: there are no messages in it."""
    try:
        given = find(call.request, "m:PersonaId")
        if given is None:
            raise errors.not_supported("GetPersona without a PersonaId")
        wanted = element("t:ItemId", Id=ews_id(read_persona_id(given.get("Id", ""))))
        mailbox, item = call.item_of(wanted)
        made = success(_TAG)
        made.append(render(call.reading(mailbox, item), whole=True, prefix="m"))
        return made
    except errors.SoapFaultError:
        raise
    except errors.EwsError as error:
        # The schema wants a Persona, with an id, even here.
        refused = error_message(element(_TAG), error)
        persona = element("m:Persona")
        persona.append(element("t:PersonaId", Id="AAA="))
        refused.append(persona)
        return refused
