"""What the simulator of Exchange Web Services has to be strict about, lest ours be lax."""

from __future__ import annotations

from prove.breakage import Breakage

SIMULATOR = "Simulator"
_EWS = "simulator/cirahub_simulator/ews"
_TESTS = "tests/simulator/ews"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=SIMULATOR,
        what="a request out of the schema's order is answered",
        file=f"{_EWS}/service.py",
        old="        check_request(envelope.body)\n",
        new="",
        tests=f"{_TESTS}/test_schema.py::test_an_element_out_of_its_place_is_named_in_the_fault",
    ),
    Breakage(
        guards=SIMULATOR,
        what="an update with a stale change key is written",
        file=f"{_EWS}/operations/update_item.py",
        old='if resolution == "NeverOverwrite" and change_key != item.change_key:',
        new="if False:",
        tests=f"{_TESTS}/test_contacts.py",
    ),
)
