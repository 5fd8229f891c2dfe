"""The tables. Content columns hold sealed bytes (see `crypto`); everything else is ids, hashes,
times (POSIX seconds) and numbers. Written for SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    column,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

ID = String(64)
_REMOTE = String(512)
_DIGEST = LargeBinary(16)
DEAD = column("alive", Boolean).is_(False)
"""The items in the index of their own. PostgreSQL is told by `postgresql`: to name it here would
load all that it is spoken to in."""
_BIG = BigInteger().with_variant(Integer, "sqlite")

key_check = Table(
    "key_check",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    comment="A known text under the key-encryption key: tells a wrong key from a damaged store.",
)

hubs = Table(
    "hubs",
    metadata,
    Column("uid", ID, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("seq", _BIG, nullable=False, default=0),
    Column("lease_holder", String(128)),
    Column("lease_token", _BIG, nullable=False, default=0),
    Column("lease_expires", Float, nullable=False, default=0.0),
    Column("rules_key", String(64)),
    Column("keys_key", String(64)),
    comment="One row a hub: its wrapped key, its sequence and the lease of its pass. rules_key: "
    "digest of the conflict rules that all of its items are folded by. keys_key: of what all of "
    "their match keys are made by.",
)

spokes = Table(
    "spokes",
    metadata,
    Column("uid", ID, primary_key=True),
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("place", String(64), nullable=False),
    Column("target", String(1024)),
    Column("contributes_key", String(64), nullable=False),
    Column("receives_key", String(64), nullable=False),
    Column("mark", _BIG, nullable=False, default=0),
    Column("verified_at", Float, nullable=False, default=0.0),
    Column("joined_at", Float, nullable=False, server_default="0"),
    Column("allowed", _BIG),
    UniqueConstraint("target"),
    Index(None, "hub"),
    comment="rank: order of joining. place: digest of the manifest's target. target: resolved ids. "
    "mark: the receiver has considered every item up to this seq. allowed: of a first sync, how "
    "many items a person has let in; null: it is over.",
)

cursors = Table(
    "cursors",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("cursor", String),
    Column("next", String),
    Column("staged", String),
    Column("round", ID),
    Column("rounds", Integer, nullable=False, default=0),
    comment="cursor: of the last merged round. next: continues the round under way. staged: the "
    "cursor that the staged changes will end in. round: id of a round from nothing under way. "
    "rounds: completed rounds from nothing.",
)

staging = Table(
    "staging",
    metadata,
    Column("position", _BIG, primary_key=True, autoincrement=True),
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), nullable=False),
    Column("remote", _REMOTE, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("etag", _REMOTE, nullable=False, default=""),
    Column("stamp", String(512), nullable=False, default=""),
    Column("created", Float),
    Column("modified", Float),
    Column("content", LargeBinary),
    Index(None, "spoke", "position"),
)

items = Table(
    "items",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("id", ID, primary_key=True),
    Column("seq", _BIG, nullable=False),
    Column("alive", Boolean, nullable=False),
    Column("deleted_at", Float),
    Column("erased", Boolean, nullable=False, default=False),
    Column("fingerprint", _DIGEST, nullable=False),
    Column("content", LargeBinary),
    Column("died_of", ID),
    Index(None, "hub", "seq"),
    Index("ix_items_hub_dead", "hub", "id", sqlite_where=DEAD),
    comment="alive false: a tombstone, with content until its copies are gone. erased: somebody "
    "left, so neither grace nor guard applies, and the content is gone at once. died_of: the spoke "
    "whose user deleted the last contribution.",
)

match_keys = Table(
    "match_keys",
    metadata,
    Column("hub", ID, primary_key=True),
    Column("digest", _DIGEST, primary_key=True),
    Column("item", ID, primary_key=True),
    Index(None, "hub", "item"),
)

shadows = Table(
    "shadows",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("remote", _REMOTE, primary_key=True),
    Column("hub", ID, nullable=False),
    Column("item", ID),
    Column("native", Boolean, nullable=False),
    Column("admitted", Boolean, nullable=False),
    Column("etag", _REMOTE, nullable=False),
    Column("modified", Float),
    Column("acknowledged_at", Float, nullable=False),
    Column("round", ID),
    Column("content", LargeBinary),
    Column("own", LargeBinary),
    Index(None, "hub", "item"),
    comment="A linked item of a contributing spoke as last acknowledged, and the spoke's own "
    "edits. admitted false: the filter keeps it out, so it has neither.",
)

replicas = Table(
    "replicas",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("hub", ID, nullable=False),
    Column("remote", _REMOTE, nullable=False),
    Column("native", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("etag", _REMOTE, nullable=False),
    Column("fingerprint", _DIGEST, nullable=False),
    Column("acknowledged", _DIGEST, nullable=False),
    Column("delivered_seq", _BIG, nullable=False),
    Column("round", ID),
    Column("attempt", String(16), nullable=False, server_default=""),
    Index(None, "spoke", "remote"),
    Index(None, "hub", "item"),
    comment="What was delivered to a receiver. native: the spoke's own item, not a copy. state: "
    "live, or detached (its user removed it). fingerprint: of what we meant; acknowledged: of what "
    "the service made of it. attempt: which create it came from.",
)

intents = Table(
    "intents",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("hub", ID, nullable=False),
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), nullable=False),
    Column("item", ID, nullable=False),
    Column("action", String(16), nullable=False),
    Column("remote", _REMOTE, nullable=False, default=""),
    Column("item_seq", _BIG, nullable=False),
    Column("fingerprint", _DIGEST, nullable=False),
    Column("abandoned", Boolean, nullable=False, default=False),
    Column("created_at", Float, nullable=False),
    Index(None, "spoke", "abandoned"),
    comment="Written before a request leaves. abandoned: looked for and not found; kept in case "
    "its effect arrives late.",
)

pending = Table(
    "pending",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("hub", ID, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("due_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", String(256), nullable=False, default=""),
    Column("since", Float, nullable=False, server_default="0"),
    Index(None, "spoke", "due_at"),
    comment="Considered, not delivered: why, and when to look again. since: when a pass first "
    "ended with it undelivered; 0: none has.",
)

removals = Table(
    "removals",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("at", Float, nullable=False),
    Index(None, "spoke", "at"),
    comment="What the guard let go at a receiver without asking anybody, and when it was sent: the "
    "limit per day counts these.",
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("hub", ID, nullable=False),
    Column("found", Boolean, nullable=False),
    comment="What the stages of a first sync have let in; none once it is over. found: a copy that "
    "an earlier store had made, known by its stamp.",
)

pull_retry = Table(
    "pull_retry",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("remote", _REMOTE, primary_key=True),
    Column("why", String(256), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", Float, nullable=False),
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("hub", ID, primary_key=True),
    Column("item", ID, primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("loser", ID, primary_key=True),
    Column("digest", _DIGEST, primary_key=True),
    Column("winner", ID, nullable=False),
    Column("tie", Boolean, nullable=False),
    Column("seq", _BIG, nullable=False),
    Column("recorded_at", Float, nullable=False),
    Column("value", LargeBinary, nullable=False),
    comment="The value that lost, sealed.",
)

departed = Table(
    "departed",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("hub", ID, nullable=False),
    Column("gone_at", Float, nullable=False),
    Column("restored", Boolean, nullable=False),
    Column("own", LargeBinary, nullable=False),
    Index(None, "hub", "item"),
    comment="What a spoke contributed of an item until its user deleted it there. restored: a "
    "person brought it back, and it counts.",
)

condemned = Table(
    "condemned",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("spoke", ID, nullable=False),
    Column("at", Float, nullable=False),
    comment="Items that one contributor's user deleted, for hubs where one suffices: what others "
    "have of them does not keep them alive.",
)

moments = Table(
    "moments",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    comment="To which seq the hub had come when: one row for each pass that changed anything.",
)

earlier = Table(
    "earlier",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("spoke", ID, primary_key=True),
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary),
    Index(None, "hub", "seq"),
    comment="What a spoke's own edits of an item were until they changed at seq: those that "
    "changed. Without: nothing is known of what they were before.",
)

rewound = Table(
    "rewound",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("spoke", ID, primary_key=True),
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary),
    comment="A spoke's own edits of an item that a person put back at seq, in the place of those "
    "made until then; the last one counts. Without: what the spoke says counts again.",
)

undecided = Table(
    "undecided",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("conflict", String(32), primary_key=True),
    Column("since", Float, nullable=False),
    comment="Conflicts that wait for a person, as of the item's last fold. conflict: digest of who "
    "said something when; it changes with them.",
)

decisions = Table(
    "decisions",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("slot", _DIGEST, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    comment="What a person decided about a conflict. slot: of the element of a list that was "
    "chosen.",
)

flips = Table(
    "flips",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("slot", _DIGEST, primary_key=True),
    Column("seq", _BIG, primary_key=True),
    Column("hub", ID, nullable=False),
    Column("said", _BIG, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "hub", "item"),
    comment="Who gave a field back what they had said of it before, in the last day. slot: of the "
    "element, in a list. seq: of that edit; said: of the one before.",
)

freezes = Table(
    "freezes",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("holder", ID, primary_key=True),
    Column("other", ID, primary_key=True),
    Column("seq", _BIG, nullable=False),
    Column("at", Float, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    comment="Fields that two spokes kept changing back and forth: what the one that had said "
    "theirs first said then stands, and neither is written to.",
)

redirects = Table(
    "redirects",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("old", ID, primary_key=True),
    Column("item", ID, nullable=False),
    comment="Ids of items that were merged away, and the items that they are now; never in chains.",
)

bindings = Table(
    "bindings",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("remote", _REMOTE, primary_key=True),
    Column("hub", ID, nullable=False),
    Column("item", ID, nullable=False),
    comment="Contacts of which a person said which item they are: when they come back, no key is "
    "asked.",
)

group_readings = Table(
    "group_readings",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("key", ID, primary_key=True),
    Column("read_at", Float, nullable=False),
    Column("members", LargeBinary, nullable=False),
    comment="Who was in a group that filters name when it was read last: keyed digests of their "
    "addresses, sealed. key: digest of the connection and the group.",
)

passes = Table(
    "passes",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("started", Float, primary_key=True),
    Column("report", LargeBinary, nullable=False),
    comment="The last reports, newest kept; numbers and reasons only.",
)

configurations = Table(
    "configurations",
    metadata,
    Column("owner", ID, primary_key=True),
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), nullable=False),
    Column("digest", _DIGEST, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "hub"),
    comment="Resolved configuration, without secrets, of hubs and spokes as of their last pass; "
    "sealed, since it names mailboxes. digest: of what is sealed, keyed.",
)

erasures = Table(
    "erasures",
    metadata,
    Column("number", _BIG, primary_key=True, autoincrement=True),
    Column("job", ID, nullable=False),
    Column("hub", ID, nullable=False),
    Column("whole_hub", Boolean, nullable=False),
    Column("requested_at", Float, nullable=False),
    Column("erase_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("abandoned", Boolean, nullable=False, default=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("copies_deleted", _BIG, nullable=False, default=0),
    Column("items_erased", _BIG, nullable=False, default=0),
    Column("items_changed", _BIG, nullable=False, default=0),
    Column("copies_remaining", _BIG, nullable=False, default=0),
    Column("content", LargeBinary),
    Index(None, "job"),
    Index(None, "hub"),
    comment="Who leaves: job is the uid of the spoke, or of the whole hub. Open until finished_at. "
    "content: names and configuration, sealed with the hub's key; a finished one has none: what "
    "stays is a receipt in numbers, which outlives the hub.",
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("job", ID, primary_key=True),
    Column("item", ID, primary_key=True),
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), nullable=False),
    Column("seq", _BIG, nullable=False),
    Index(None, "hub", "item"),
    comment="Items that an erasure under way changed, and the seq that it gave them: until every "
    "receiver has been brought at least there, somebody still shows what was erased.",
)

plans = Table(
    "plans",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("plan", String(32), nullable=False),
    Column("issue", _BIG, nullable=False),
    Column("expires_at", Float, nullable=False),
    comment="The plan that waits for approval; blank: none does. issue: counts the hub's plans, so "
    "that none has the id of an earlier one.",
)

plan_entries = Table(
    "plan_entries",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("entry", String(32), primary_key=True),
    Column("hub", ID, nullable=False),
    Column("approved_until", Float),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "hub"),
    comment="What the plan would write: entry is a digest of the spoke, the action, and of what "
    "item and replica were. approved_until: a person approved it, and it was not applied yet.",
)

ABOUT_AN_ITEM = (match_keys, conflicts, undecided, decisions, flips, freezes, redirects, replicas)
"""What goes with an item that is forgotten."""
