"""GetServerTimeZones: [MS-OXWSGTZ] 3.1.4.1."""

from __future__ import annotations

from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.envelope import success
from cirahub_simulator.ews.markup import Element, add, children, find, is_true, text_of
from cirahub_simulator.ews.time_zone import WINDOWS, definition


def answer(call: Call) -> list[Element]:
    """The one message; ids of zones that the server doesn't have are passed over."""
    ids = find(call.request, "m:Ids")
    wanted = list(WINDOWS) if ids is None else [text_of(node) for node in children(ids)]
    full = is_true(call.request.get("ReturnFullTimeZoneData", "true"))
    year = call.world.clock.now().year
    made = success("m:GetServerTimeZonesResponseMessage")
    zones = add(made, "m:TimeZoneDefinitions")
    zones.extend(definition(name, year, full=full) for name in wanted if name in WINDOWS)
    return [made]
