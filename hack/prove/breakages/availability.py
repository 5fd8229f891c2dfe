"""What is taken out of high availability: who leads, who may write, and what goes deaf."""

from __future__ import annotations

from prove.breakage import Breakage

AVAILABILITY = "Availability"
_OPERATOR = "operator/cirahub_operator"
_SYNC = "sync/cirahub_sync"
_LEADERSHIP = f"{_OPERATOR}/leadership.py"
_OPERATION = f"{_OPERATOR}/operation.py"
_GATE = "tests/endpoints/graph/test_gate.py"
_TURNS = "tests/ha/test_leadership.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=AVAILABILITY,
        what="a Lease that is held is taken",
        file=_LEADERSHIP,
        old="        if found.holder and now < self._unchanged_since + found.duration:",
        new="        if found.holder and now < self._unchanged_since:",
        tests=f"{_TURNS}::test_the_first_one_makes_the_lease_and_the_second_one_waits",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a Lease that is renewed runs out all the same",
        file=_LEADERSHIP,
        old="        if self._record is None or found.version != self._record.version:",
        new="        if self._record is None:",
        tests=f"{_TURNS}::test_a_lease_that_is_renewed_is_never_taken",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a Lease counts from when its renewal was answered",
        file=_LEADERSHIP,
        old="        self._record, self._renewed = record, asked",
        new="        self._record, self._renewed = record, self._clock()",
        tests=f"{_TURNS}::test_a_renewal_counts_from_before_it_was_asked_for",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="who slept over its Lease does not know",
        file=_LEADERSHIP,
        old="        if self._clock() >= self.until:\n            raise LeaseLostError(",
        new="        if self._renewed < 0:\n            raise LeaseLostError(",
        tests=f"{_TURNS}::test_who_slept_over_its_lease_knows_before_it_asks_anybody",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="who can't renew goes on",
        file=_LEADERSHIP,
        old="            if left <= 0:\n",
        new="            if left <= -3600:\n",
        tests=f"{_TURNS}::test_an_api_server_that_is_away_costs_the_lease_at_the_deadline",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="who finds another holder takes the Lease back",
        file=_LEADERSHIP,
        old="        elif found.holder != self.identity:",
        new="        elif not found.version:",
        tests=f"{_TURNS}::test_who_finds_another_holder_ends",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a Lease is written whatever somebody else wrote meanwhile",
        file=f"{_OPERATOR}/leases.py",
        old='            metadata["resourceVersion"] = record.version',
        new='            metadata["labels"] = {}',
        tests=f"{_TURNS}::test_who_finds_another_holder_ends",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a Lease is not released at the end",
        file=_OPERATION,
        old="                    await leadership.release()",
        new="                    leadership.until",
        tests="tests/ha/test_takeover.py::test_an_orderly_end_hands_over_at_once",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a process that lost its Lease goes on until the watchdog ends it",
        file=_OPERATION,
        old="            self._drain = 0.0\n            self.stop()",
        new="            self._drain = 0.0",
        tests="tests/ha/test_takeover.py::test_a_leader_whose_lease_is_taken_ends_in_order",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a process that lost its Lease says that all is well",
        file=_OPERATION,
        old="                keeping.result()",
        new="                keeping.exception()",
        tests="tests/ha/test_takeover.py::test_a_leader_whose_lease_is_taken_ends_in_order",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="there is no watchdog",
        file=_OPERATION,
        old="                    with Watchdog(leadership):\n"
        "                        await self._lead(leadership, serve)",
        new="                    await self._lead(leadership, serve)",
        tests="tests/ha/test_takeover.py::test_a_leader_whose_loop_hangs_ends_with_its_lease",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="the watchdog sleeps",
        file=_LEADERSHIP,
        old="                self._end(1)\n",
        new="",
        tests=f"{_TURNS}::test_the_watchdog_ends_a_process_that_does_not_end_by_itself",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="the engine is not told whether this operator leads",
        file=_OPERATION,
        old="open_engine=partial(Worker.open, leading=leading)",
        new="open_engine=partial(Worker.open)",
        tests="tests/ha/test_leading.py::test_the_engine_asks_whether_this_operator_leads",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="the operator does not hand its leadership on to its engine",
        file=_OPERATION,
        old="inline_runner(worker, leading, self._settings.workers)",
        new="inline_runner(worker, workers=self._settings.workers)",
        tests="tests/ha/test_leading.py::test_the_operator_tells_its_engine_by_its_lease",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="who leads no more writes as long as it holds the hub",
        file=f"{_SYNC}/worker.py",
        old="            self._leading()\n            holding(seconds)",
        new="            holding(seconds)",
        tests="tests/engine/test_leading.py",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="who holds the hub no more writes as long as it leads",
        file=f"{_SYNC}/worker.py",
        old="            self._leading()\n            holding(seconds)",
        new="            self._leading()",
        tests="tests/chaos/test_fencing.py::"
        "test_a_worker_whose_lease_was_taken_over_commits_and_sends_nothing_more",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a hub's lease need not outlive a write",
        file=f"{_SYNC}/store/hub.py",
        old="        if not self._lease.outlives(seconds):",
        new="        if self._lease.token < 0:",
        tests="tests/store/test_store.py::"
        "test_a_holder_that_slept_is_fenced_off_once_another_took_over",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a commit does not ask whose the hub is",
        file=f"{_SYNC}/store/lease.py",
        old="        if met != 1:\n            self._until",
        new="        if met < 0:\n            self._until",
        tests="tests/store/test_store.py::"
        "test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_nothing_more",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a hub's token does not grow",
        file=f"{_SYNC}/store/lease.py",
        old="        lease = Lease(database, hub, row.lease_token + 1, terms, clocks)",
        new="        lease = Lease(database, hub, row.lease_token, terms, clocks)",
        tests="tests/store/test_store.py::"
        "test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_nothing_more",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a holder measures its lease by the time of day",
        file=f"{_SYNC}/store/lease.py",
        old="self._clocks.steady() + seconds < self._until",
        new="self._clocks.day() + seconds < self._until",
        tests="tests/store/test_store.py::test_the_time_of_day_that_is_set_back_lengthens_no_lease",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a write is fenced before it waits, and not when it leaves",
        file=f"{_SYNC}/endpoints/graph/gate.py",
        old="    traces.on_request_headers_sent.append(check)\n"
        "    traces.on_request_chunk_sent.append(check)",
        new="    traces.on_request_start.append(check)",
        tests=_GATE,
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a write leaves without a fence",
        file=f"{_SYNC}/endpoints/graph/gate.py",
        old="        if gate is not None:\n            gate.check()",
        new="        if gate is None:\n            return",
        tests=f"{_GATE}::test_not_one_byte_leaves_after_a_no",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a write that is repeated after a 401 passes no fence",
        file=f"{_SYNC}/endpoints/graph/session.py",
        old="partial(self._send, method, path, headers, body, fence=fence)",
        new="lambda token, left=[fence]: self._send(\n"
        "method, path, headers, body, token, fence=left.pop() if left else None)",
        tests=f"{_GATE}::test_after_a_401_it_is_asked_again",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a folder is made without a fence",
        file=f"{_SYNC}/endpoints/graph/making.py",
        old='"POST", path, body, fence=fence',
        new='"POST", path, body, fence=lambda _: None',
        tests=f"{_GATE}::test_a_folder_is_not_made_after_a_no",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="silent watches are not told to the liveness probe",
        file=f"{_OPERATOR}/health.py",
        old="            if seconds > self._watch_limit\n",
        new="            if seconds < 0\n",
        tests="tests/ha/test_silence.py::"
        "test_a_silent_watch_is_told_by_the_probe_though_nothing_happens",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="nobody listens to the watches",
        file=f"{_OPERATOR}/handlers/lifecycle.py",
        old="        session = listening.session(",
        new="        session = aiohttp.ClientSession(",
        tests="tests/ha/test_silence.py::"
        "test_a_silent_watch_is_told_by_the_probe_though_nothing_happens",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a watch in which nothing happens is taken for deaf",
        file=f"{_OPERATOR}/watch_streams.py",
        old="            yield chunk\n        self._heard()",
        new="            yield chunk",
        tests="tests/ha/test_silence.py::test_a_watch_in_which_nothing_happens_is_not_silent",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a watch that is refused aloud is taken for deaf",
        file=f"{_OPERATOR}/watch_streams.py",
        old="            elif watch is not None:\n                streams.refused(watch)",
        new="            elif watch is not None:\n                pass",
        tests="tests/ha/test_silence.py::test_a_watch_that_is_refused_aloud_is_not_taken_for_deaf",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a watch that never shows what we wrote is not deaf",
        file=f"{_OPERATOR}/health.py",
        old="            self._unseen.setdefault(kind, asked)",
        new="            self._unseen[kind] = asked",
        tests="tests/operator/test_health.py::test_a_watch_that_never_shows_what_we_wrote_is_deaf",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="an engine that is silent is alive",
        file=f"{_OPERATOR}/health.py",
        old="        if silence > self._engine_limit:",
        new="        if silence < 0:",
        tests="tests/operator/test_health.py::test_an_engine_that_is_silent_for_long_is_not_alive",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="a watch that is refused is given up, and the operator with it",
        file=f"{_OPERATOR}/handlers/lifecycle.py",
        old="        return itertools.chain(self.first, itertools.repeat(self.then))",
        new="        return itertools.chain(self.first)",
        tests="tests/rbac/test_watches.py",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="an object whose task failed is not looked at again",
        file=f"{_OPERATOR}/workqueue.py",
        old="            except Exception:\n                logger.exception(",
        new="            except RunnerStoppedError:\n                logger.exception(",
        tests="tests/operator/test_workqueue.py::"
        "test_a_failure_is_tried_again_and_holds_nobody_else",
    ),
    Breakage(
        guards=AVAILABILITY,
        what="the end waits five seconds in vain",
        file=_OPERATION,
        old="        self._heed_signals()\n        self.started.set()",
        new="        self.started.set()",
        tests="tests/operator/test_process.py::"
        "test_a_signal_ends_it_cleanly_and_nothing_is_waited_for_in_vain",
    ),
)
