"""What is taken out of speaking to an Exchange Server."""

from __future__ import annotations

from prove.breakage import Breakage

EXCHANGE = "Exchange Server"
_ROOM = "sync/cirahub_sync/endpoints/exchange"
_TESTS = "tests/endpoints/exchange"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=EXCHANGE,
        what="a password is sent to a server that it does not name",
        file="sync/cirahub_sync/identity/password.py",
        old="        if self._host in found.hosts:",
        new="        if found.value:",
        tests=f"{_TESTS}/test_password.py::"
        "test_a_password_that_does_not_name_the_server_is_sent_nowhere",
    ),
    Breakage(
        guards=EXCHANGE,
        what="a wrong password is tried by everybody at once",
        file=f"{_ROOM}/session.py",
        old="        if proof == self._proven:",
        new="        if proof:",
        tests=f"{_TESTS}/test_password.py::"
        "test_a_wrong_password_is_tried_once_until_another_is_kept",
    ),
    Breakage(
        guards=EXCHANGE,
        what="the loop waits for the server itself",
        file=f"{_ROOM}/session.py",
        old="        posted = asyncio.get_running_loop().run_in_executor(\n"
        "            self._threads,\n",
        new="        posted = (lambda post, *given: asyncio.get_running_loop().run_in_executor(\n"
        "            self._threads, (lambda kept: lambda: kept)(post(*given))))(\n",
        tests=f"{_TESTS}/test_session.py::test_the_loop_goes_on_while_the_server_takes_its_time",
    ),
    Breakage(
        guards=EXCHANGE,
        what="a write to a busy server is sent again",
        file=f"{_ROOM}/session.py",
        old="        return await self._exchange(seat, operation, fence=fence)\n",
        new="        reply = await self._exchange(seat, operation, fence=fence)\n"
        "        if reply.code:\n"
        "            reply = await self._exchange(seat, operation, fence=fence)\n"
        "        return reply\n",
        tests=f"{_TESTS}/test_session.py::"
        "test_a_request_that_the_server_does_not_understand_is_sent_once",
    ),
    Breakage(
        guards=EXCHANGE,
        what="what is made over EWS is not stamped",
        file=f"{_ROOM}/letters.py",
        old="        return codec.with_stamp(operation.body, operation.key)",
        new="        return operation.body",
        tests="tests/endpoints/contract/test_writes.py::"
        "test_a_create_is_stamped_and_comes_back_whole",
    ),
    Breakage(
        guards=EXCHANGE,
        what="an update over EWS overwrites what a user has changed meanwhile",
        file=f"{_ROOM}/outbox.py",
        old='b"NeverOverwrite" if compared else b"AlwaysOverwrite"',
        new='b"AlwaysOverwrite"',
        tests="tests/endpoints/contract/test_writes.py::"
        "test_a_stale_update_is_refused_where_the_endpoint_promises_it",
    ),
    Breakage(
        guards=EXCHANGE,
        what="a full mailbox on an Exchange Server is told without what to do",
        file="operator/cirahub_operator/items_failing.py",
        old=" or _FULL in one.error",
        new="",
        tests="tests/operator/test_summary.py::test_a_full_mailbox_is_told_with_what_to_do",
    ),
    Breakage(
        guards=EXCHANGE,
        what="a token that a server refuses is not got anew",
        file="sync/cirahub_sync/identity/host_token.py",
        old="        if found == than:\n            await self._tokens.invalidate()\n",
        new="        if found == than:\n",
        tests=f"{_TESTS}/test_token.py::"
        "test_a_token_that_has_expired_at_the_server_is_renewed_once",
    ),
    Breakage(
        guards=EXCHANGE,
        what="a token that stays refused is sent with every request",
        file="sync/cirahub_sync/identity/host_token.py",
        old="        if found == self._refused:",
        new="        if found is self._refused:",
        tests=f"{_TESTS}/test_token.py::"
        "test_a_token_that_stays_refused_is_told_and_not_sent_on_and_on",
    ),
    Breakage(
        guards=EXCHANGE,
        what="a server is shown a token that is of use elsewhere",
        file="sync/cirahub_sync/identity/host_token.py",
        old='        self._resource = f"https://{server}"',
        new='        self._resource = "https://outlook.office365.com"',
        tests=f"{_TESTS}/test_token.py::test_a_token_is_for_the_server_and_for_nothing_else",
    ),
    Breakage(
        guards=EXCHANGE,
        what="a token's missing role goes unnoticed",
        file=f"{_ROOM}/permissions.py",
        old="    return () if ROLE in roles else (ROLE,)",
        new="    return ()",
        tests=f"{_TESTS}/test_token.py::test_a_check_tells_that_the_role_is_missing",
    ),
    Breakage(
        guards=EXCHANGE,
        what="only the first page of public folders is listed",
        file=f"{_ROOM}/public_folders.py",
        old="        offset = wire.next_offset(message)",
        new="        offset = None",
        tests="tests/operator/test_folders_command.py::"
        "test_many_public_folders_are_listed_page_by_page",
    ),
)
