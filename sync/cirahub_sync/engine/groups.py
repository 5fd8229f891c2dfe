"""Groups: who is in those that filters name, read once a pass and group, on a clock of their own.

What was read is kept. A group that can't be read is as it was: nobody comes or goes because of
that. When somebody joins or leaves, the items that have an address of theirs are judged again, in
the transaction that keeps the new reading: at receivers by pending rows, at contributors by a round
from nothing, since nothing is kept of what a filter keeps out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from cirahub_sync.configuration import ConnectionConfig, SpokeConfig
from cirahub_sync.endpoints.directory import Member
from cirahub_sync.engine.comeback import read_anew
from cirahub_sync.engine.context import PassContext, SpokeRun, problem_of, unexpected
from cirahub_sync.engine.grouped import Groups, directory_of, groups_asked
from cirahub_sync.engine.lanes import each
from cirahub_sync.engine.plan import DELETIONS
from cirahub_sync.engine.report import Problem
from cirahub_sync.errors import (
    CirahubError,
    ConfigurationError,
    KeyUnavailableError,
    LeaseLostError,
    StoreError,
)
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.group import GroupRef, Membership, comparable
from cirahub_sync.model.kind import Content
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.groups import Reading
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Spoke

CONCURRENT_READINGS = 4
CHUNK = 400
_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


class _Wanted(msgspec.Struct, frozen=True):
    """A group to be read."""

    key: str
    ref: GroupRef
    connection: ConnectionConfig


class _Asking(msgspec.Struct, frozen=True):
    """A spoke whose filters name groups; also one that takes no part in this pass."""

    uid: str
    groups: Groups
    row: Spoke | None = None
    """Of one that takes part."""


class _News(msgspec.Struct, frozen=True):
    """What was read that was not known."""

    fresh: Collection[str]
    """Groups, by their keys, that were read for the first time."""
    changed: Mapping[str, frozenset[bytes]]
    """Who joined or left."""
    items: Sequence[str]
    """Those that have an address of theirs."""


async def look_up_groups(context: PassContext) -> None:
    """Read what is due, and tell every spoke who is in its groups. One whose group was never read
    is left out of the pass."""
    asking = [run for run in context.asking_for_groups if run.registered and not run.failed]
    wanted = {
        key: _Wanted(key, ref, directory_of(run.config, ref))
        for run in asking
        for ref, key in run.groups.keys.items()
    }
    with context.store.read() as tx:
        left_over = tx.groups.keys() - wanted.keys()
        kept = tx.groups.get(list(wanted))
    if left_over and not context.erasing:
        _tidy(context, left_over)
    if not wanted:
        return
    read, problems = await _read(context, _due(context, wanted, kept))
    await _keep(context, kept, read)
    known = {key: reading.members for key, reading in (kept | read).items()}
    for run in asking:
        _tell(context, run, known, problems, kept)


def recall_groups(context: PassContext, tx: Transaction) -> None:
    """Tell every spoke who was in its groups when they were read last. Sends nothing."""
    keys = {key for run in context.asking_for_groups for key in run.groups.keys.values()}
    known = {key: reading.members for key, reading in tx.groups.get(sorted(keys)).items()}
    for run in context.asking_for_groups:
        run.membership = _membership(run.groups, known, tx.cipher)


def _due(
    context: PassContext, wanted: Mapping[str, _Wanted], kept: Mapping[str, Reading]
) -> Sequence[_Wanted]:
    """An erasure goes by what was read last: it has nothing to do with who is in a group now."""
    if context.erasing:
        return ()
    before = context.clock() - context.hub.group_interval
    return [one for key, one in wanted.items() if key not in kept or kept[key].read_at <= before]


async def _read(
    context: PassContext, due: Sequence[_Wanted]
) -> tuple[dict[str, Reading], dict[str, Problem]]:
    found: dict[str, Reading] = {}
    problems: dict[str, Problem] = {}

    async def one(wanted: _Wanted) -> None:
        try:
            directory = await context.open_directory(wanted.connection)
            members = await directory.members(wanted.ref.group)
        except (LeaseLostError, StoreError, KeyUnavailableError):
            raise
        except CirahubError as error:
            problems[wanted.key] = problem_of(error)
        except Exception as error:
            problems[wanted.key] = unexpected(error, wanted.ref.called)
        else:
            digests = _digests_of(members, context.store.cipher)
            found[wanted.key] = Reading(context.clock(), digests)

    await each(due, one, lanes=CONCURRENT_READINGS)
    return found, problems


def _digests_of(members: Sequence[Member], cipher: Cipher) -> frozenset[bytes]:
    return frozenset(_digest(address, cipher) for member in members for address in member.addresses)


def _digest(address: str, cipher: Cipher) -> bytes:
    return cipher.match_digest(f"member\0{comparable(address)}")


def _membership(
    groups: Groups, known: Mapping[str, Collection[bytes]], cipher: Cipher
) -> Membership:
    members = {ref: known[key] for ref, key in groups.keys.items() if key in known}

    def among(ref: GroupRef, addresses: Iterable[str]) -> bool | None:
        digests = members.get(ref)
        if digests is None:
            return None
        return any(_digest(address, cipher) in digests for address in addresses)

    return among


def _tell(
    context: PassContext,
    run: SpokeRun,
    known: Mapping[str, Collection[bytes]],
    problems: Mapping[str, Problem],
    kept: Mapping[str, Reading],
) -> None:
    run.membership = _membership(run.groups, known, context.store.cipher)
    for ref, key in run.groups.keys.items():
        problem = problems.get(key)
        if problem is None:
            continue
        if key not in kept:
            run.fail(_said(problem, ref, "until it has been read, nothing is synced here"))
        elif run.unread is None:
            since = datetime.fromtimestamp(kept[key].read_at, UTC).strftime("%Y-%m-%dT%H:%MZ")
            run.unread = _said(problem, ref, f"who is in it counts as at {since}")


def _said(problem: Problem, ref: GroupRef, consequence: str) -> Problem:
    return msgspec.structs.replace(
        problem, message=f"{ref.called} can't be read: {problem.message}; {consequence}"
    )


async def _keep(
    context: PassContext, kept: Mapping[str, Reading], read: Mapping[str, Reading]
) -> None:
    """Keep what was read, and have judged again whom it concerns."""
    same = [key for key, one in read.items() if key in kept and kept[key].members == one.members]
    other = {key: one for key, one in read.items() if key not in same}
    if not read:
        return
    changed = {key: one.members ^ kept[key].members for key, one in other.items() if key in kept}
    items: Sequence[str] = ()
    subjects: Sequence[_Asking] = ()
    if other:
        subjects = _subjects(context)
        receives = {key for subject in subjects for key in subject.groups.receives}
        items = await _items_of(context, _union(changed, receives))
    news = _News(other.keys() - changed.keys(), changed, items)
    with context.store.write() as tx:
        for subject in subjects:
            _reconsider(tx, subject, news)
        tx.groups.put(other)
        tx.groups.touch(same, context.clock())


def _subjects(context: PassContext) -> Sequence[_Asking]:
    """Every spoke of the hub whose filters name groups, those that are away by what they were."""
    found = [
        _Asking(run.uid, run.groups, run.row) for run in context.asking_for_groups if run.registered
    ]
    present = {run.uid for run in context.runs}
    with context.store.read() as tx:
        for uid in tx.spokes().keys() - present:
            config = tx.configurations.get(uid)
            groups = _groups_of(config)
            if groups is not None and groups.any:
                found.append(_Asking(uid, groups))
    return found


def _groups_of(config: bytes | None) -> Groups | None:
    """None for a filter that never was valid: such a spoke is judged whole once it is."""
    try:
        return None if config is None else groups_asked(_spoke(config))
    except ConfigurationError:
        return None


def _union(changed: Mapping[str, frozenset[bytes]], keys: Collection[str]) -> frozenset[bytes]:
    return frozenset().union(*(changed[key] for key in keys if key in changed))


async def _items_of(context: PassContext, digests: Collection[bytes]) -> Sequence[str]:
    """The items that have one of these addresses."""
    found: list[str] = []
    after = ""
    while digests:
        with context.store.read() as tx:
            items = tx.items.by_id(after, CHUNK)
        if not items:
            break
        cipher = context.store.cipher
        found += [item.id for item in items if _concerns(item.content, digests, cipher)]
        after = items[-1].id
        await asyncio.sleep(0)
    return found


def _concerns(content: Content, digests: Collection[bytes], cipher: Cipher) -> bool:
    return isinstance(content, Contact) and any(
        _digest(email.address, cipher) in digests for email in content.emails
    )


def _reconsider(tx: Transaction, subject: _Asking, news: _News) -> None:
    groups, uid = subject.groups, subject.uid
    if not groups.receives.isdisjoint(news.fresh):
        if subject.row is not None:
            subject.row.mark = 0
        tx.update_spoke(uid, mark=0)
    elif not groups.receives.isdisjoint(news.changed):
        waiting = tx.pending.by_item(uid, news.items)
        tx.pending.reconsider(
            uid, [i for i in news.items if i not in waiting or waiting[i].reason not in DELETIONS]
        )
    if not groups.contributes.isdisjoint(news.fresh):
        if tx.shadows.any(uid):
            read_anew(tx, uid)
    elif not groups.contributes.isdisjoint(news.changed):
        remotes = _shadowed(tx, uid, _union(news.changed, groups.contributes))
        if remotes:
            read_anew(tx, uid, remotes)


def _shadowed(tx: Transaction, uid: str, digests: Collection[bytes]) -> list[str]:
    """The spoke's own items that the change may concern: of what its filter keeps out, all."""
    found: list[str] = []
    after = ""
    while shadows := tx.shadows.of_spoke(uid, after, CHUNK):
        after = shadows[-1].remote
        found += [
            shadow.remote
            for shadow in shadows
            if shadow.native
            and (not shadow.admitted or _concerns(shadow.content, digests, tx.cipher))
        ]
    return found


def _tidy(context: PassContext, left_over: Collection[str]) -> None:
    """What no spoke names any more, not even one that is away, is not kept."""
    named = {key for subject in _subjects(context) for key in subject.groups.keys.values()}
    with context.store.write() as tx:
        tx.groups.remove(set(left_over) - named)
