"""What is taken out of speaking to a CardDAV server."""

from __future__ import annotations

from prove.breakage import Breakage

CARDDAV = "CardDAV"
_ROOM = "sync/cirahub_sync/endpoints/carddav"
_TESTS = "tests/endpoints/carddav"
_HABITS = f"{_TESTS}/test_habits.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=CARDDAV,
        what="a write whose answer was lost is sent again by the client",
        file="sync/cirahub_sync/network.py",
        old="        session._retry_connection = False",
        new="        session._retry_connection = True",
        tests="tests/endpoints/contract/test_writes.py::"
        "test_a_lost_answer_is_unknown_and_nothing_is_sent_again[drop-before-address-book]",
    ),
    Breakage(
        guards=CARDDAV,
        what="the password follows a link to another host",
        file=f"{_ROOM}/session.py",
        old="        if origin_of(self._origins.rewrite(url)) not in here:",
        new="        if not here:",
        tests=f"{_TESTS}/test_session.py::test_the_password_follows_no_link_to_another_origin",
    ),
    Breakage(
        guards=CARDDAV,
        what="a create overwrites what has its name",
        file=f"{_ROOM}/outbox.py",
        old='            headers["If-None-Match"] = "*"',
        new='            headers["X-None"] = "*"',
        tests=f"{_HABITS}::test_a_create_does_not_take_what_is_somebody_else_s",
    ),
    Breakage(
        guards=CARDDAV,
        what="an update writes a card anew",
        file=f"{_ROOM}/outbox.py",
        old="        codec.apply(held.card, letter.after",
        new="        held.card.lines = held.card.lines[:3]\n"
        "        codec.apply(held.card, letter.after",
        tests=f"{_HABITS}::test_what_others_put_into_a_card_survives_an_update",
    ),
    Breakage(
        guards=CARDDAV,
        what="what we sent is acknowledged, not what the server made of it",
        file=f"{_ROOM}/outbox.py",
        old='        if isinstance(found, Held) and etag in ("", found.item.etag):',
        new="        if isinstance(found, Held) and not etag:",
        tests=f"{_HABITS}::test_what_a_server_makes_of_a_card_is_what_is_acknowledged",
    ),
    Breakage(
        guards=CARDDAV,
        what="a round that is taken up ends with the token of its second answer",
        file=f"{_ROOM}/delta.py",
        old="            following = since.until or told.token",
        new="            following = told.token",
        tests=f"{_HABITS}::test_a_round_by_sync_collection_that_is_taken_up_misses_nothing_either",
    ),
    Breakage(
        guards=CARDDAV,
        what="a comparison that was interrupted goes on where it was",
        file=f"{_ROOM}/delta.py",
        old="        if since.listed and since.after:",
        new="        if since.whole and since.after and not since.until:",
        tests=f"{_HABITS}::test_a_comparison_that_was_interrupted_begins_anew",
    ),
    Breakage(
        guards=CARDDAV,
        what="the rest of an answer that is cut short is not asked for",
        file=f"{_ROOM}/delta.py",
        old="            if not truncated:",
        new="            if following:",
        tests=f"{_HABITS}::test_an_answer_that_is_cut_short_is_asked_for_to_its_end",
    ),
    Breakage(
        guards=CARDDAV,
        what="an answer with a document type is read",
        file=f"{_ROOM}/wire.py",
        old="    if root.getroottree().docinfo.doctype:",
        new="    if root is None:",
        tests=f"{_TESTS}/test_session.py::test_an_answer_that_is_none_is_not_read",
    ),
    Breakage(
        guards=CARDDAV,
        what="a line break in a text begins a new property",
        file=f"{_ROOM}/card.py",
        old='    return text.replace("\\n", "\\\\n")',
        new="    return text",
        tests=f"{_TESTS}/test_card.py::test_control_characters_and_line_ends_make_no_new_lines",
    ),
    Breakage(
        guards=CARDDAV,
        what="address books load what Microsoft's services need",
        file="sync/cirahub_sync/endpoints/opening.py",
        old="from cirahub_sync.endpoints.session import Session, Surroundings\n",
        new="from cirahub_sync.endpoints.graph import opening\n"
        "from cirahub_sync.endpoints.session import Session, Surroundings\n",
        tests="tests/identity/test_weight.py",
    ),
)
