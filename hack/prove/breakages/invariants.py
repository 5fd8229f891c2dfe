"""What is taken out of the code, and which tests have to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """One guard removed: in `file`, `old` (which stands there exactly once) becomes `new`."""

    invariant: int | str
    """A number of the design's list, or a section of the design."""
    what: str
    file: str
    old: str
    new: str
    tests: str
    """Pytest targets, separated by spaces; at least one test of it has to fail."""


_ENGINE = "sync/cirahub_sync/engine"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        invariant=1,
        what="a delivered item is not recognised as delivered",
        file=f"{_ENGINE}/plan.py",
        old="if replica.fingerprint == made.fingerprint:",
        new="if not made.fingerprint:",
        tests="tests/engine/test_noop.py",
    ),
    Breakage(
        invariant=2,
        what="what failed is not kept as pending",
        file=f"{_ENGINE}/deliver.py",
        old="        known = tx.pending.by_item(self.run.uid, [judgement.item])"
        ".get(judgement.item)\n        attempts",
        new="        return\n        known = None\n        attempts",
        tests="tests/engine/test_delivery.py",
    ),
    Breakage(
        invariant=3,
        what="creates without an answer are not looked for",
        file=f"{_ENGINE}/recover.py",
        old="found = await endpoint.find([intent.key for intent in intents])",
        new="found: Mapping[str, Sequence[RemoteItem]] = {}",
        tests="tests/engine/test_delivery.py",
    ),
    Breakage(
        invariant=4,
        what="the cursor is kept before its items are",
        file=f"{_ENGINE}/pull.py",
        old="cursor = msgspec.structs.replace(cursor, next=None, staged=page.cursor)",
        new="cursor = Cursor(cursor=page.cursor, rounds=cursor.rounds + 1)",
        tests="tests/engine/test_directions.py",
    ),
    Breakage(
        invariant=5,
        what="no intent is written before a request leaves",
        file=f"{_ENGINE}/deliver.py",
        old="            tx.intents.put(intents)",
        new="            tx.intents.put([])",
        tests="tests/engine/test_delivery.py",
    ),
    Breakage(
        invariant=6,
        what="a user's copy of a copy is taken for ours",
        file=f"{_ENGINE}/relink.py",
        old="elif replica is not None and self._tx.intents.abandoned([row.stamp]):",
        new="elif replica is not None:",
        tests="tests/engine/test_matching.py",
    ),
    Breakage(
        invariant=7,
        what="copies in a two-way spoke are taken for its own",
        file=f"{_ENGINE}/acknowledge.py",
        old="        if run.config.direction.contributes:\n            shadow = earlier",
        new="        if False:\n            shadow = earlier",
        tests="tests/engine/test_directions.py",
    ),
    Breakage(
        invariant=8,
        what="two-way is the default",
        file="operator/cirahub_operator/api/spoke.py",
        old="Direction.CONTRIBUTE",
        new="Direction.TWO_WAY",
        tests="tests/operator/test_definitions.py tests/operator/test_resolver.py",
    ),
    Breakage(
        invariant=9,
        what="deletions do not wait",
        file=f"{_ENGINE}/plan.py",
        old="wait_until=0.0 if item.erased or withdrawn else since + limits.grace_period,",
        new="wait_until=0.0,",
        tests="tests/engine/test_deletions.py",
    ),
    Breakage(
        invariant=9,
        what="deletions are not bounded",
        file=f"{_ENGINE}/guard.py",
        old="if len(guarded) > allowance(limits, copies.get(spoke, 0))",
        new="if len(guarded) > 1_000_000",
        tests="tests/engine/test_deletions.py",
    ),
    Breakage(
        invariant=9,
        what="a source that reads empty is believed",
        file=f"{_ENGINE}/merge.py",
        old="if approval in context.approved:",
        new="if approval:",
        tests="tests/engine/test_deletions.py",
    ),
    Breakage(
        invariant=11,
        what="the text of a foreign exception is told",
        file=f"{_ENGINE}/context.py",
        old='f"an unexpected {type(error).__name__} at {where};',
        new='f"an unexpected {error!r} at {where};',
        tests="tests/engine/test_privacy.py",
    ),
    Breakage(
        invariant=12,
        what="links to another origin are followed",
        file="sync/cirahub_sync/endpoints/graph/session.py",
        old='if parts is None or origin != origin_of(self.origin) or parts.path[:6] != "/v1.0/":',
        new="if parts is None:",
        tests="tests/endpoints/graph/test_delta.py",
    ),
    Breakage(
        invariant=13,
        what="a broken spoke ends the pass",
        file=f"{_ENGINE}/context.py",
        old="        except CirahubError as error:\n            run.fail(problem_of(error))",
        new="        except CirahubError as error:\n            raise",
        tests="tests/engine/test_isolation.py",
    ),
    Breakage(
        invariant=14,
        what="a wrong key is not noticed",
        file="sync/cirahub_sync/store/opening.py",
        old="            keyring.verify(database)\n",
        new="            database.migrate()\n",
        tests="tests/engine/test_isolation.py",
    ),
    Breakage(
        invariant=16,
        what="nothing is verified before the first create",
        file=f"{_ENGINE}/deliver.py",
        old="while not (self.run.pristine or self.run.uid in known) and any(",
        new="while False and any(",
        tests="tests/engine/test_store_loss.py",
    ),
    Breakage(
        invariant=15,
        what="the hub is not folded without the leaver",
        file=f"{_ENGINE}/leave.py",
        old="changed = refold(context, tx, [*touched, *died], leaver=uid)",
        new="changed = refold(context, tx, [], leaver=uid)",
        tests="tests/engine/test_leaving.py",
    ),
    Breakage(
        invariant=15,
        what="a copy keeps alive what nobody contributes any more",
        file=f"{_ENGINE}/fold.py",
        old="alive = any(item.native for item in inputs)",
        new="alive = bool(inputs)",
        tests="tests/engine/test_remains.py",
    ),
    Breakage(
        invariant=15,
        what="an erasure is complete while somebody still shows what was erased",
        file="sync/cirahub_sync/leaving.py",
        old="found[uid] = held.copies + (held.own if own else 0)",
        new="found[uid] = 0",
        tests="tests/engine/test_erasure.py",
    ),
    Breakage(
        invariant=15,
        what="what others deleted goes with the leaver",
        file=f"{_ENGINE}/refold.py",
        old="return item.alive or (item.died_of == leaver and not item.erased)",
        new="return not item.erased",
        tests="tests/engine/test_erasure.py",
    ),
    Breakage(
        invariant=15,
        what="a resumed erasure takes what a user made of a copy",
        file=f"{_ENGINE}/leave.py",
        old="looked = tx.cursors.get(run.uid).rounds == _LOOKED",
        new="looked = False",
        tests="tests/engine/test_erasure.py",
    ),
    Breakage(
        invariant=15,
        what="what is deleted stays in the file",
        file="sync/cirahub_sync/store/database.py",
        old="PRAGMA secure_delete=ON",
        new="PRAGMA secure_delete=OFF",
        tests="tests/engine/test_remains.py",
    ),
    Breakage(
        invariant=15,
        what="whoever comes back takes up what is being erased",
        file=f"{_ENGINE}/comeback.py",
        old="    if job.started:\n        raise _too_late(run)",
        new="    if not job:\n        raise _too_late(run)",
        tests="tests/engine/test_comeback.py",
    ),
)
