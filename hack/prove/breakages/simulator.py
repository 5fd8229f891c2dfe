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
    Breakage(
        guards=SIMULATOR,
        what="a client of an old version is answered what its version does not have",
        file=f"{_EWS}/item.py",
        old="kind.base(self.base) - self.unknown",
        new="kind.base(self.base)",
        tests=f"{_TESTS}/test_schema_version.py",
    ),
    Breakage(
        guards=SIMULATOR,
        what="the EWS Managed API does not find the events of a stream",
        file=f"{_EWS}/notification.py",
        old='"m:Notification" if namespace == "messages" else "t:Notification"',
        new='"t:Notification"',
        tests=f"{_TESTS}/test_notifications.py",
    ),
    Breakage(
        guards=SIMULATOR,
        what="an operation that the simulator lacks looks like one that its version lacks",
        file=f"{_EWS}/service.py",
        old="not_served(name) if is_published(name) else invalid_request()",
        new="invalid_request()",
        tests=f"{_TESTS}/test_envelope.py",
    ),
    Breakage(
        guards=SIMULATOR,
        what="who is hidden from address lists is a member of a group for everybody",
        file=f"{_EWS}/addressee.py",
        old="        if not contact.hidden:\n            yield",
        new="        if True:\n            yield",
        tests=f"{_TESTS}/test_names_and_ids.py",
    ),
    Breakage(
        guards=SIMULATOR,
        what="a search of the directory finds what it has in the middle of a word",
        file="simulator/cirahub_simulator/graph/search.py",
        old="any(one.startswith(word) for one in found)",
        new="any(word in one for one in found)",
        tests="tests/simulator/graph/test_search.py",
    ),
    Breakage(
        guards=SIMULATOR,
        what="a query string finds words by what is in the middle of them",
        file=f"{_EWS}/query_string.py",
        old="found == word if exact else found.startswith(word)",
        new="found == word if exact else word in found",
        tests=f"{_TESTS}/test_search.py",
    ),
    Breakage(
        guards=SIMULATOR,
        what="a gateway that lists folders by the numbers of their items finds nothing in them",
        file=f"{_EWS}/kinds.py",
        old="        case mapi.ARTICLE_NUMBER:\n",
        new='        case "":\n',
        tests=f"{_TESTS}/test_search.py",
    ),
)
