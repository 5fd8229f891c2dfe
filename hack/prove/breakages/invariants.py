"""The engine's guards, by the number of the design's invariant; but for 12 (`trust`) and 15
(`leaving`)."""

from __future__ import annotations

from prove.breakage import Breakage

_ENGINE = "sync/cirahub_sync/engine"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=1,
        what="a delivered item is not recognised as delivered",
        file=f"{_ENGINE}/plan.py",
        old="if replica.fingerprint == made.fingerprint:",
        new="if not made.fingerprint:",
        tests="tests/engine/test_noop.py",
    ),
    Breakage(
        guards=2,
        what="what failed is not kept as pending",
        file=f"{_ENGINE}/deliver.py",
        old="        known = tx.pending.by_item(self.run.uid, [judgement.item])"
        ".get(judgement.item)\n        attempts",
        new="        return\n        known = None\n        attempts",
        tests="tests/engine/test_delivery.py",
    ),
    Breakage(
        guards=3,
        what="creates without an answer are not looked for",
        file=f"{_ENGINE}/recover.py",
        old="found = await endpoint.find([intent.key for intent in intents])",
        new="found: Mapping[str, Sequence[RemoteItem]] = {}",
        tests="tests/engine/test_delivery.py",
    ),
    Breakage(
        guards=4,
        what="the cursor is kept before its items are",
        file=f"{_ENGINE}/pull.py",
        old="cursor = msgspec.structs.replace(cursor, next=None, staged=page.cursor)",
        new="cursor = Cursor(cursor=page.cursor, rounds=cursor.rounds + 1)",
        tests="tests/engine/test_directions.py",
    ),
    Breakage(
        guards=5,
        what="no intent is written before a request leaves",
        file=f"{_ENGINE}/deliver.py",
        old="            tx.intents.put(intents)",
        new="            tx.intents.put([])",
        tests="tests/engine/test_delivery.py",
    ),
    Breakage(
        guards=6,
        what="a user's copy of a copy is taken for ours",
        file=f"{_ENGINE}/relink.py",
        old="elif replica is not None and self._tx.intents.abandoned([row.stamp]):",
        new="elif replica is not None:",
        tests="tests/engine/test_matching.py",
    ),
    Breakage(
        guards=7,
        what="copies in a two-way spoke are taken for its own",
        file=f"{_ENGINE}/acknowledge.py",
        old="        if run.config.direction.contributes:\n            shadow = earlier",
        new="        if False:\n            shadow = earlier",
        tests="tests/engine/test_directions.py",
    ),
    Breakage(
        guards=8,
        what="two-way is the default",
        file="operator/cirahub_operator/api/spoke.py",
        old="Direction.CONTRIBUTE",
        new="Direction.TWO_WAY",
        tests="tests/operator/test_definitions.py tests/operator/test_resolver.py",
    ),
    Breakage(
        guards=9,
        what="deletions do not wait",
        file=f"{_ENGINE}/plan.py",
        old="wait_until=0.0 if item.erased or withdrawn else since + limits.grace_period,",
        new="wait_until=0.0,",
        tests="tests/engine/test_deletions.py",
    ),
    Breakage(
        guards=9,
        what="deletions are not bounded",
        file=f"{_ENGINE}/guard.py",
        old="if len(guarded) > allowance(limits, copies.get(spoke, 0))",
        new="if len(guarded) > 1_000_000",
        tests="tests/engine/test_deletions.py",
    ),
    Breakage(
        guards=9,
        what="a source that reads empty is believed",
        file=f"{_ENGINE}/merge.py",
        old="if approval in context.approved:",
        new="if approval:",
        tests="tests/engine/test_deletions.py",
    ),
    Breakage(
        guards=11,
        what="the text of a foreign exception is told",
        file=f"{_ENGINE}/context.py",
        old='f"an unexpected {type(error).__name__} at {where};',
        new='f"an unexpected {error!r} at {where};',
        tests="tests/engine/test_privacy.py",
    ),
    Breakage(
        guards=12,
        what="links to another origin are followed",
        file="sync/cirahub_sync/endpoints/graph/session.py",
        old='if parts is None or origin != origin_of(self.origin) or parts.path[:6] != "/v1.0/":',
        new="if parts is None:",
        tests="tests/endpoints/graph/test_delta.py",
    ),
    Breakage(
        guards=13,
        what="a broken spoke ends the pass",
        file=f"{_ENGINE}/context.py",
        old="        except CirahubError as error:\n            run.fail(problem_of(error))",
        new="        except CirahubError as error:\n            raise",
        tests="tests/engine/test_isolation.py",
    ),
    Breakage(
        guards=14,
        what="a wrong key is not noticed",
        file="sync/cirahub_sync/store/opening.py",
        old="            keyring.verify(database)\n",
        new="            database.migrate()\n",
        tests="tests/engine/test_isolation.py",
    ),
    Breakage(
        guards=16,
        what="nothing is verified before the first create",
        file=f"{_ENGINE}/deliver.py",
        old="while not (self.run.pristine or self.run.uid in known) and any(",
        new="while False and any(",
        tests="tests/engine/test_store_loss.py",
    ),
)
