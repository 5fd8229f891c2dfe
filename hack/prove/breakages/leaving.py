"""What is taken out of leaving and erasing: invariant 15, and what the design says of leaving."""

from __future__ import annotations

from prove.breakage import Breakage

LEAVING = "Leaving"
_ENGINE = "sync/cirahub_sync/engine"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=15,
        what="the hub is not folded without the leaver",
        file=f"{_ENGINE}/leave.py",
        old="changed = refold(context, tx, [*touched, *died], leaver=uid)",
        new="changed = refold(context, tx, [], leaver=uid)",
        tests="tests/engine/test_leaving.py::"
        "test_an_erased_contributor_is_gone_from_the_receivers_and_the_hub",
    ),
    Breakage(
        guards=15,
        what="a copy keeps alive what nobody contributes any more",
        file=f"{_ENGINE}/fold.py",
        old="alive = any(item.native for item in inputs)",
        new="alive = bool(inputs)",
        tests="tests/engine/test_remains.py::test_nothing_of_an_erased_spoke_can_be_found",
    ),
    Breakage(
        guards=15,
        what="an erasure is complete while somebody still shows what was erased",
        file="sync/cirahub_sync/leaving.py",
        old="found[uid] = held.copies + (held.own if own else 0)",
        new="found[uid] = 0",
        tests="tests/engine/test_erasure.py::"
        "test_it_is_not_complete_while_somebody_still_shows_what_the_leaver_put_in",
    ),
    Breakage(
        guards=15,
        what="what others deleted goes with the leaver",
        file=f"{_ENGINE}/refold.py",
        old="return item.alive or (item.died_of == leaver and not item.erased)",
        new="return not item.erased",
        tests="tests/engine/test_erasure.py::"
        "test_what_others_deleted_keeps_its_grace_and_its_guard",
    ),
    Breakage(
        guards=15,
        what="a resumed erasure takes what a user made of a copy",
        file=f"{_ENGINE}/leave.py",
        old="looked = tx.cursors.get(run.uid).rounds == _LOOKED",
        new="looked = False",
        tests="tests/engine/test_erasure.py::"
        "test_what_a_user_made_of_a_copy_stays_theirs_when_an_erasure_is_resumed",
    ),
    Breakage(
        guards=15,
        what="what is deleted stays in the file",
        file="sync/cirahub_sync/store/sqlite.py",
        old="PRAGMA secure_delete=ON",
        new="PRAGMA secure_delete=OFF",
        tests="tests/engine/test_remains.py::"
        "test_nothing_of_an_erased_hub_can_be_found_not_even_its_key",
    ),
    Breakage(
        guards=15,
        what="whoever comes back takes up what is being erased",
        file=f"{_ENGINE}/comeback.py",
        old="    if job.started:\n        raise _too_late(run)",
        new="    if not job:\n        raise _too_late(run)",
        tests="tests/engine/test_comeback.py::"
        "test_once_started_there_is_no_way_back_until_it_is_complete",
    ),
    Breakage(
        guards=15,
        what="what is deleted stays in the write-ahead log",
        file="sync/cirahub_sync/store/sqlite.py",
        old='cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()',
        new='cursor.execute("SELECT 0").fetchone()',
        tests="tests/engine/test_remains.py::test_nothing_of_an_erased_spoke_can_be_found",
    ),
    Breakage(
        guards=15,
        what="a log that somebody reads is taken for emptied",
        file="sync/cirahub_sync/store/sqlite.py",
        old="            if busy:\n",
        new="            if not isinstance(busy, int):\n",
        tests="tests/engine/test_remains.py::"
        "test_it_is_not_complete_while_somebody_reads_what_was_there_before[spoke]",
    ),
    Breakage(
        guards=15,
        what="the file is not rewritten",
        file="sync/cirahub_sync/store/sqlite.py",
        old='                cursor.execute("VACUUM")',
        new='                cursor.execute("SELECT 0")',
        tests="tests/store/test_remnants.py",
    ),
    Breakage(
        guards=15,
        what="an erasure does not have the file rewritten",
        file="sync/cirahub_sync/leaving.py",
        old="        self._store.rewrite()\n",
        new="        self._store.shed()\n",
        tests="tests/engine/test_remains.py::"
        "test_the_file_is_rewritten_before_an_erasure_is_complete",
    ),
    Breakage(
        guards=15,
        what="names of the leaver stay with the receipt",
        file="sync/cirahub_sync/leaving.py",
        old="            tx.erasures.write_content(job, encoded(nameless))",
        new="            tx.erasures.update(job.number, attempts=job.attempts)",
        tests="tests/engine/test_remains.py::"
        "test_what_the_job_remembered_of_the_leaver_is_gone_with_it",
    ),
    Breakage(
        guards=15,
        what="an erasure is closed, and its hub's key destroyed, while copies remain",
        file="sync/cirahub_sync/leaving.py",
        old="            if abandoned or report.complete:",
        new="            if abandoned or report:",
        tests="tests/engine/test_remains.py::"
        "test_nothing_of_an_erased_hub_can_be_found_not_even_its_key",
    ),
    Breakage(
        guards=15,
        what="a hub's key goes before its rows",
        file="sync/cirahub_sync/leaving.py",
        old="        with self._store.write() as tx:\n"
        "            if job.whole_hub:\n"
        "                forget_rows(tx)",
        new="        if job.whole_hub:\n"
        "            self._store.destroy(job=job.number, abandoned=abandoned)\n"
        "            self._store.acquire()\n"
        "        with self._store.write() as tx:\n"
        "            if job.whole_hub:\n"
        "                forget_rows(tx)",
        tests="tests/engine/test_remains.py::"
        "test_it_is_not_complete_while_somebody_reads_what_was_there_before[hub]",
    ),
    Breakage(
        guards=15,
        what="a hub's key is kept",
        file="sync/cirahub_sync/store/hub.py",
        old="            connection.execute(delete(hubs).where(hubs.c.uid == self.hub))",
        new="            connection.execute(delete(hubs).where(hubs.c.uid == ''))",
        tests="tests/store/test_store.py::test_a_destroyed_hub_leaves_no_row_and_no_key",
    ),
    Breakage(
        guards=15,
        what="content of the leaver waits until its mailbox is reached",
        file=f"{_ENGINE}/leave.py",
        old="                content=kind_of(shadow.content).blank,\n"
        "                own=OwnEdits(),\n",
        new="",
        tests="tests/engine/test_remains.py::test_an_unreachable_leaver_s_content_is_gone_at_once",
    ),
    Breakage(
        guards=15,
        what="conflicts keep what the leaver had put in",
        file=f"{_ENGINE}/leave.py",
        old="                tx.forget_conflicts(uid)\n",
        new="",
        tests="tests/engine/test_remains.py::test_an_unreachable_leaver_s_content_is_gone_at_once",
    ),
    Breakage(
        guards=15,
        what="staged changes keep what the leaver had put in",
        file=f"{_ENGINE}/leave.py",
        old="                tx.staging.clear(uid)\n",
        new="",
        tests="tests/engine/test_remains.py::"
        "test_what_was_read_of_the_leaver_and_not_merged_yet_goes_with_it",
    ),
    Breakage(
        guards=15,
        what="tombstones keep what the leaver had changed",
        file=f"{_ENGINE}/leave.py",
        old="            _forget_edits(tx, [*gone, *past, *edited])\n",
        new="",
        tests="tests/engine/test_remains.py::"
        "test_a_tombstone_keeps_nothing_that_the_leaver_had_changed",
    ),
    Breakage(
        guards=15,
        what="that somebody took away what only the leaver had put in is kept",
        file=f"{_ENGINE}/leave.py",
        old="            forget_traces(tx, touched)\n",
        new="",
        tests="tests/engine/test_remains.py::"
        "test_what_others_took_away_does_not_tell_what_the_leaver_had_put_in",
    ),
    Breakage(
        guards=15,
        what="what the leaver had deleted waits for its grace",
        file=f"{_ENGINE}/leave.py",
        old="            died = [] if waits else "
        "[item.id for item in tx.items.died_of(uid, CHUNK)]",
        new="            died: list[str] = []",
        tests="tests/engine/test_erasure.py::"
        "test_what_the_leaver_had_deleted_itself_does_not_wait_for_its_grace",
    ),
    Breakage(
        guards=15,
        what="copies go into the bin",
        file=f"{_ENGINE}/leave.py",
        old="permanent=endpoint.capabilities.permanent_delete",
        new="permanent=False",
        tests="tests/engine/test_leaving.py::"
        "test_an_erased_receiver_loses_our_copies_and_keeps_its_own",
    ),
    Breakage(
        guards=15,
        what="what was withdrawn goes into the bin at others",
        file=f"{_ENGINE}/plan.py",
        old="            permanent=item.erased or withdrawn,",
        new="            permanent=False,",
        tests="tests/engine/test_leaving.py::"
        "test_an_erased_contributor_is_gone_from_the_receivers_and_the_hub",
    ),
    Breakage(
        guards=15,
        what="copies of which a lost store knew nothing stay",
        file=f"{_ENGINE}/leave.py",
        old="    if run.config.direction.receives and run.uid not in context.verified:\n"
        "        await _find",
        new="    if run.config.direction.receives and not run.uid:\n        await _find",
        tests="tests/engine/test_review_leaving.py::"
        "test_erasing_after_the_store_was_lost_still_finds_the_copies",
    ),
    Breakage(
        guards=15,
        what="erasing forgets that it has begun",
        file="sync/cirahub_sync/leaving.py",
        old="job.number, started_at=job.started_at or now, attempts=job.attempts + 1",
        new="job.number, started_at=None, attempts=job.attempts + 1",
        tests="tests/engine/test_comeback.py::"
        "test_once_started_there_is_no_way_back_until_it_is_complete",
    ),
    Breakage(
        guards=LEAVING,
        what="a spoke to be retained is erased",
        file="operator/cirahub_operator/reconcile/leaving.py",
        old="        metadata, hub = spoke.metadata, scene.hub\n"
        "        if spoke.spec.deletion_policy is DeletionPolicy.RETAIN:",
        new="        metadata, hub = spoke.metadata, scene.hub\n"
        "        if spoke.spec.deletion_policy is None:",
        tests="tests/operator/test_leaving.py::test_a_retained_spoke_goes_without_being_erased",
    ),
    Breakage(
        guards=LEAVING,
        what="a hub to be retained is erased",
        file="operator/cirahub_operator/reconcile/leaving.py",
        old="        if hub.spec.deletion_policy is DeletionPolicy.RETAIN:\n            why",
        new="        if hub.spec.deletion_policy is None:\n            why",
        tests="tests/operator/test_leaving.py::"
        "test_a_retained_hub_goes_once_the_spokes_that_left_it_are_erased",
    ),
    Breakage(
        guards=LEAVING,
        what="what a retained spoke contributed goes with it",
        file="sync/cirahub_sync/engine/release.py",
        old="    retire(tx, spoke)",
        new="    tx.remove_spoke(spoke)",
        tests="tests/engine/test_leaving.py::"
        "test_what_a_retained_spoke_contributed_stays_although_others_edit_it",
    ),
    Breakage(
        guards=LEAVING,
        what="there is no grace period",
        file="operator/cirahub_operator/reconcile/leaving.py",
        old="        return now if deleted is None or not grace else deleted.timestamp() + grace",
        new="        return now",
        tests="tests/operator/test_leaving_grace.py::"
        "test_a_deleted_spoke_is_let_go_at_once_and_erased_later",
    ),
    Breakage(
        guards=LEAVING,
        what="a spoke is let go before it is erased",
        file="operator/cirahub_operator/reconcile/leaving.py",
        old="            return _Held(spoke)\n        await",
        new="        await",
        tests="tests/operator/test_leaving.py::test_a_deleted_spoke_is_erased_and_goes",
    ),
    Breakage(
        guards=LEAVING,
        what="what can't be reached is held for ever",
        file="operator/cirahub_operator/reconcile/surroundings.py",
        old="        return metadata.deleting and self.held_for(metadata) <= 0",
        new="        return False",
        tests="tests/operator/test_leaving.py::"
        "test_a_spoke_is_let_go_after_the_erase_timeout_and_its_erasure_goes_on",
    ),
)
