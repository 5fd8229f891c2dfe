"""What photos promise: nobody's own is lost, none goes astray, and none is kept for too long."""

from __future__ import annotations

from prove.breakage import Breakage

PHOTOS = "Photos"
_LOOK = "sync/cirahub_sync/engine/photo_look.py"
_WRITE = "sync/cirahub_sync/engine/photo_write.py"
_ROUND = "sync/cirahub_sync/engine/photo_pass.py"
_MODEL = "sync/cirahub_sync/model/photo.py"
_STORE = "sync/cirahub_sync/store/photos.py"
_PASSES = "tests/engine/test_photos.py::"
_OF_USERS = "tests/engine/test_photos_of_users.py::"
_IN_TROUBLE = "tests/engine/test_photos_in_trouble.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=PHOTOS,
        what="people's own photos are overwritten",
        file=_STORE,
        old="            where += [photos.c.spoke.is_not(None), photos.c.own.is_(False)]\n",
        new="            where += [photos.c.spoke.is_not(None)]\n",
        tests=_OF_USERS + "test_a_photo_of_a_users_own_contact_is_never_replaced",
    ),
    Breakage(
        guards=PHOTOS,
        what="a photo is taken away whoever put it there",
        file=_WRITE,
        old="            return etag == row.written_etag\n",
        new="            return True\n",
        tests=_OF_USERS
        + "test_a_photo_that_a_receivers_user_replaced_stays_until_the_item_has_another",
    ),
    Breakage(
        guards=PHOTOS,
        what="what was written is not noted before it is sent",
        file=_WRITE,
        old="                tx.photos.put([row for row, _ in brought])\n",
        new="                pass\n",
        tests="tests/chaos/test_photo_boundaries.py",
    ),
    Breakage(
        guards=PHOTOS,
        what="the etag of what was written is not kept",
        file=_WRITE,
        old="etag=etag, written_etag=etag, due_at",
        new="due_at",
        tests=_PASSES + "test_a_photo_comes_with_its_contact_and_a_second_pass_asks_for_none",
    ),
    Breakage(
        guards=PHOTOS,
        what="a photo is fetched at every look",
        file=_LOOK,
        old=" and row.etag == sight.known.etag:\n",
        new=" and not row.etag:\n",
        tests=_PASSES + "test_a_photo_that_did_not_change_is_not_fetched_again",
    ),
    Breakage(
        guards=PHOTOS,
        what="all photos are looked at together ever after",
        file="sync/cirahub_sync/engine/photo_lane.py",
        old=" / 2**32 if first else 1.0\n",
        new=" / 2**32 if self.now < 0 else 1.0\n",
        tests=_PASSES + "test_a_photo_that_did_not_change_is_not_fetched_again",
    ),
    Breakage(
        guards=PHOTOS,
        what="ours are taken for people's own after a lost store",
        file=_LOOK,
        old="        return portrait.digest == digest\n",
        new="        return False\n",
        tests=_IN_TROUBLE + "test_after_a_lost_store_photos_of_ours_are_nobodys_own",
    ),
    Breakage(
        guards=PHOTOS,
        what="pictures stay when photos are switched off",
        file=_ROUND,
        old="            tx.pictures.clear()\n",
        new="            pass\n",
        tests=_PASSES + "test_photos_that_are_switched_off_are_not_kept_and_stay_where_they_are",
    ),
    Breakage(
        guards=PHOTOS,
        what="a picture that nobody has any more is kept",
        file="sync/cirahub_sync/engine/portrait.py",
        old="    tx.pictures.purge()\n",
        new="",
        tests=_PASSES + "test_a_photo_that_is_taken_away_gives_way_to_the_next_ones",
    ),
    Breakage(
        guards=PHOTOS,
        what="an erasure leaves the leaver's photo with the others",
        file="sync/cirahub_sync/engine/leave.py",
        old="    tx.withdrawals.add(job.job, dict.fromkeys(living, 0))\n",
        new="",
        tests=_IN_TROUBLE + "test_who_leaves_takes_their_photo_along",
    ),
    Breakage(
        guards=PHOTOS,
        what="an erasure is complete though a copy shows the leaver's photo",
        file="sync/cirahub_sync/store/erasure.py",
        old="                ~standing.exists(),\n",
        new="                standing.exists(),\n",
        tests=_IN_TROUBLE + "test_a_photo_that_cannot_be_taken_away_keeps_an_erasure_open",
    ),
    Breakage(
        guards=PHOTOS,
        what="a small file that claims to be a huge picture is decoded",
        file=_MODEL,
        old="            if image.width * image.height > MAX_PIXELS:\n",
        new="            if image.width > MAX_PIXELS:\n",
        tests="tests/model/test_photo.py",
    ),
    Breakage(
        guards=PHOTOS,
        what="what a camera wrote into a small photo travels with it",
        file=_MODEL,
        old='        and [name for name, _ in segments] == ["APP0"]\n',
        new="",
        tests="tests/model/test_photo.py",
    ),
    Breakage(
        guards=PHOTOS,
        what="an error comes wrapped in a group, and is taken for a bug",
        file="sync/cirahub_sync/engine/photo_lane.py",
        old="        raise next((one for one in found if isinstance(one, EVERYBODYS)), found[0]) ",
        new="        raise group ",
        tests=_IN_TROUBLE + "test_an_access_that_is_missing_for_photos_makes_its_spoke_not_ready",
    ),
    Breakage(
        guards=PHOTOS,
        what="photos are written where writes wait for a person",
        file=_ROUND,
        old="    if context.kind is not CONTACTS or context.gate is not None:\n",
        new="    if context.kind is not CONTACTS:\n",
        tests=_PASSES + "test_with_manual_no_photo_is_written",
    ),
)
