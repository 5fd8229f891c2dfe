"""Plan: what each receiver lacks. Pure: values in, values out.

Every item above a receiver's mark is judged against what was delivered, filtered and mapped; the
judgement says what to send, what to note, or why it has to wait. Nothing is sent from here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from enum import StrEnum

import msgspec

from cirahub_sync.configuration import DeletedBy, DeletionLimits, Direction
from cirahub_sync.endpoints.base import Capabilities, Endpoint, Limits, RemoteItem
from cirahub_sync.engine.context import SpokeRun
from cirahub_sync.engine.report import PendingReason
from cirahub_sync.model.event import Event
from cirahub_sync.model.kind import CONTACTS, Content, as_contact, empty, kind_of, read_only
from cirahub_sync.model.limits import changed_fields, project, showable
from cirahub_sync.model.visibility import as_hidden, is_hidden
from cirahub_sync.recent import Recent
from cirahub_sync.store.rows import Action, Item, Pending, Replica, ReplicaState, Shadow

DELETIONS = (PendingReason.GRACE.value, PendingReason.GUARDED.value)
"""Why a deletion may be pending."""

_KEPT = 20_000


class Why(StrEnum):
    """What a judgement comes from."""

    MISSING = "Missing"
    """The receiver has not got it, and is to."""
    OUTDATED = "Outdated"
    CURRENT = "Current"
    DETACHED = "Detached"
    """Its user deleted it there, which is remembered."""
    FILTERED = "FilteredOut"
    DEAD = "Deleted"
    """Nobody contributes it any more."""
    ORPHANED = "Orphaned"
    """Nobody contributes it, as far as is known: not everybody has been read whole yet."""
    UNJUDGED = "Unjudged"
    """The filter's expression can't be evaluated for it: what is there stays as it is."""
    OWN = "OwnItem"
    """The receiver's user has it themselves; it is not ours to touch."""
    READ_ONLY = "ReadOnlyAtSource"
    """It has attendees there, or only its time is known: a write would tell them, or undo that."""
    OUTSIDE = "OutsideWindow"
    """It is not made before it comes into the window."""
    UNSHOWABLE = "Unshowable"
    """It lacks what the receiver can't do without: an e-mail address, in an address list."""
    BLANK = "Blank"
    """The mapping leaves nothing of it."""


class Judgement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What is to be done about one item at one receiver; without an action, nothing is sent."""

    item: str
    seq: int
    why: Why
    action: Action | None = None
    desired: Content = CONTACTS.blank
    """Of what is not written: anything."""
    fingerprint: bytes = b""
    before: Content | None = None
    """For an update: what the receiver holds; None if that was not kept (Receive)."""
    remote: str = ""
    etag: str = ""
    native: bool = False
    wait_until: float | None = None
    """For a delete: the end of its grace period."""
    unguarded: bool = False
    permanent: bool = False
    arrives: bool = False
    """Whether the receiver gets it for the first time: a copy, or a change of its own item."""
    note: bool = False
    """Nothing to send, but what the receiver has is what it should have: note the delivery."""


class Planned(msgspec.Struct, frozen=True):
    """A judgement as a plan shows it."""

    judgement: Judgement
    held: str = ""
    """Why it would not be sent now (a PendingReason), blank if it would."""


class Wire(msgspec.Struct, frozen=True, gc=False):
    """An item as one mapping shows it."""

    desired: Content
    fingerprint: bytes


class Encoder:
    """Encode once: what one mapping makes of an item, and its bytes, are made once a pass and sent
    to every receiver with that mapping."""

    def __init__(self, fingerprint: Callable[[Content], bytes]) -> None:
        self.fingerprint = fingerprint
        self._wires: Recent[Wire] = Recent(_KEPT)
        self._bodies: Recent[bytes] = Recent(_KEPT)

    def wire(self, run: SpokeRun, item: Item, capabilities: Capabilities) -> Wire:
        def make() -> Wire:
            mapped = run.receives.to_spoke(item.content)
            desired = project(mapped, capabilities.limits, None, region=run.receives.region)
            if run.hides is not None and run.hides(item.content) is not False:
                desired = as_hidden(as_contact(desired))  # also who can't be judged
            fingerprint = self.fingerprint(desired)
            if run.receives.blends:
                # It stands for what the mapping makes of the item, not for what a copy holds.
                fingerprint = _under(run.receives.key, fingerprint)
            return Wire(desired, fingerprint)

        kind = (run.receives.key, id(capabilities), run.hide)
        return self._wires.get((kind, item.id, item.seq), make)

    def body(self, run: SpokeRun, judgement: Judgement, endpoint: Endpoint) -> bytes:
        """The wire form of a create or update."""
        update = judgement.action is Action.UPDATE
        if judgement.before is not None:
            return endpoint.encode_changes(judgement.before, judgement.desired)

        def make() -> bytes:
            if update:
                return endpoint.encode_changes(None, judgement.desired, run.receives.fields)
            return endpoint.encode(judgement.desired)

        kind = (run.receives.key, id(endpoint.capabilities), run.hide, update)
        return self._bodies.get((kind, judgement.item, judgement.seq), make)


def _under(key: str, fingerprint: bytes) -> bytes:
    return hashlib.blake2b(fingerprint, key=key.encode(), digest_size=len(fingerprint)).digest()


def judge(
    run: SpokeRun,
    item: Item,
    *,
    replica: Replica | None,
    shadow: Shadow | None,
    pending: Pending | None,
    limits: DeletionLimits,
    now: float,
    capabilities: Capabilities,
    encoder: Encoder,
    withdrawn: bool = False,
    merged: bool = False,
    sources: Collection[str] = (),
    frozen: Collection[str] = (),
) -> Judgement:
    """`shadow` is the receiver's own shadow of the item, native or of the copy, if it has one.
    `frozen` fields are not written there, since it would only change them back.
    `sources` names the spokes that contribute the item, if the receiver's filter asks for them.
    `withdrawn`: the item lives without what somebody had put in who left for good. If that is why
    the filter keeps it out now, nobody waits; an own item loses it all the same. `merged`: the item
    is another one now, which the receiver has as well: a person asked for that, so nobody waits."""

    def nothing(why: Why) -> Judgement:
        return Judgement(item=item.id, seq=item.seq, why=why)

    if replica is not None and replica.state is ReplicaState.DETACHED:
        return nothing(Why.DETACHED)
    if shadow is not None and read_only(shadow.content):
        return nothing(Why.READ_ONLY)
    native = shadow is not None and shadow.native
    withdrawn = withdrawn and item.alive
    admitted = item.alive and run.admits_out(item.content, sources)
    if admitted is None:
        if not withdrawn or (replica is None and shadow is None):
            return nothing(Why.UNJUDGED)
        admitted = True  # what is there stays, without what somebody had put in who left for good
    lacking = (
        bool(capabilities.limits.required)
        and shadow is None
        and item.alive
        and not showable(encoder.wire(run, item, capabilities).desired, capabilities.limits)
    )
    refused = not admitted or lacking
    if refused and withdrawn and native and replica is not None and replica.delivered_seq:
        refused = False
    if refused:
        if native and shadow is not None and _takes(run, item, limits):
            assert item.deleted_at is not None
            return Judgement(
                item=item.id,
                seq=item.seq,
                action=Action.DELETE,
                remote=shadow.remote,
                etag=shadow.etag,
                fingerprint=item.fingerprint,
                native=True,
                why=Why.DEAD,
                wait_until=item.deleted_at + limits.grace_period,
            )
        why = Why.FILTERED if item.alive else Why.DEAD
        why = Why.UNSHOWABLE if admitted and lacking else why
        if native or (replica is not None and replica.native):
            return nothing(why if native else Why.OWN)
        if replica is None:
            return nothing(why)
        if not item.alive and item.deleted_at is None:
            return nothing(Why.ORPHANED)  # an orphan that is not dated yet: see relink
        since = item.deleted_at if not item.alive else None
        if since is None:
            waits = pending is not None and pending.due_at and pending.reason in DELETIONS
            since = pending.due_at - limits.grace_period if pending and waits else now
        return Judgement(
            item=item.id,
            seq=item.seq,
            why=why,
            action=Action.DELETE,
            remote=replica.remote,
            etag=replica.etag,
            fingerprint=replica.fingerprint,
            wait_until=0.0 if item.erased or withdrawn or merged else since + limits.grace_period,
            unguarded=item.erased or withdrawn or merged,
            permanent=item.erased or withdrawn,
        )
    if shadow is None:
        if replica is not None and replica.native:
            return nothing(Why.OWN)  # its user's own, and not contributed (any more)
        made = encoder.wire(run, item, capabilities)
        if replica is None:
            if empty(made.desired):
                return nothing(Why.BLANK)
            if outside(run, item):
                return nothing(Why.OUTSIDE)
            return Judgement(
                item=item.id,
                seq=item.seq,
                why=Why.MISSING,
                action=Action.CREATE,
                desired=made.desired,
                fingerprint=made.fingerprint,
                arrives=True,
            )
        if replica.fingerprint == made.fingerprint:
            current = nothing(Why.CURRENT)
            return msgspec.structs.replace(current, note=replica.delivered_seq != item.seq)
        return Judgement(
            item=item.id,
            seq=item.seq,
            why=Why.OUTDATED,
            action=Action.UPDATE,
            desired=made.desired,
            fingerprint=made.fingerprint,
            remote=replica.remote,
            etag=replica.etag,
        )
    desired = shown(run, item, shadow, capabilities.limits, frozen)
    fingerprint = encoder.fingerprint(desired)
    if fingerprint == encoder.fingerprint(shadow.content):
        delivered = replica is not None and replica.delivered_seq == item.seq
        return Judgement(
            item=item.id,
            seq=item.seq,
            why=Why.CURRENT,
            note=not delivered,
            fingerprint=fingerprint,
            remote=shadow.remote,
            etag=shadow.etag,
            native=shadow.native,
        )
    return Judgement(
        item=item.id,
        seq=item.seq,
        why=Why.OUTDATED,
        action=Action.UPDATE,
        desired=desired,
        fingerprint=fingerprint,
        before=shadow.content,
        remote=shadow.remote,
        etag=shadow.etag,
        native=shadow.native,
        arrives=shadow.native and replica is None,
    )


def outside(run: SpokeRun, item: Item) -> bool:
    """Whether the receiver is not to get an event yet, or any more."""
    content = item.content
    return run.span is not None and isinstance(content, Event) and not run.span.holds(content)


def _takes(run: SpokeRun, item: Item, limits: DeletionLimits) -> bool:
    """Whether the item goes from who has it themselves: another contributor's user deleted it,
    any may, and this mailbox is kept in step both ways. It goes to the bin."""
    return (
        limits.allowed_by is DeletedBy.ANY_CONTRIBUTOR
        and run.config.direction is Direction.TWO_WAY
        and item.deleted_at is not None
        and not (item.alive or item.erased)
    )


def shown(
    run: SpokeRun, item: Item, shadow: Shadow, limits: Limits, frozen: Collection[str] = ()
) -> Content:
    """What the spoke is to hold of an item of which it has this shadow; of `frozen` fields, what it
    holds."""
    lens = run.contributes if shadow.native else run.receives
    mapped = lens.to_spoke(item.content, shadow.content)
    if shadow.native:
        mapped = run.receives.spared(mapped, shadow.content)
    if frozen:
        here = {field: getattr(shadow.content, field) for field in frozen}
        mapped = msgspec.structs.replace(mapped, **here)
    return project(mapped, limits, shadow.content, region=lens.region)


def blended(
    run: SpokeRun, judgement: Judgement, held: RemoteItem, encoder: Encoder, limits: Limits
) -> Judgement:
    """An update of a copy without a shadow, now that it is known what the copy holds."""
    region = run.receives.region
    mapped = run.receives.blended(judgement.desired, held.content)
    desired = project(mapped, limits, held.content, region=region)
    if run.hides is not None and is_hidden(as_contact(judgement.desired)):
        desired = as_hidden(as_contact(desired))
    same = encoder.fingerprint(desired) == encoder.fingerprint(held.content)
    return msgspec.structs.replace(
        judgement,
        action=None if same else Action.UPDATE,
        why=Why.CURRENT if same else Why.OUTDATED,
        note=same,
        desired=desired,
        before=held.content,
        etag=held.etag,
    )


def fields_changed(judgement: Judgement) -> tuple[str, ...]:
    """The fields that an update writes, or a create fills."""
    if judgement.action is Action.DELETE:
        return ()
    kind = kind_of(judgement.desired)
    if judgement.action is Action.UPDATE and judgement.before is None:
        return kind.fields
    return changed_fields(judgement.before or kind.blank, judgement.desired)
