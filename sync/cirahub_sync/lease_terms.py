"""How long a hub is held by the pass over it, and what follows from that."""

from __future__ import annotations

import msgspec

from cirahub_sync.errors import ConfigurationError

SHORTEST = 3.0


class LeaseTerms(msgspec.Struct, frozen=True):
    """All in seconds, as shares of the lease, so that they fit together whatever it is.

    A write that leaves has `write` until it is given up, so that much of the lease has to be left;
    renewed every `renewal`, two renewals may fail before one is held back (2 x 15 + 40 < 90)."""

    seconds: float = 90.0
    """Of a lease, from its last renewal."""

    def __post_init__(self) -> None:
        if self.seconds < SHORTEST:
            raise ConfigurationError(f"a hub's lease has to last {SHORTEST:.0f} s at least")

    @property
    def renewal(self) -> float:
        """Between two renewals while requests are waited for. 15 by default."""
        return self.seconds / 6

    @property
    def write(self) -> float:
        """The longest that a request that writes may take. 40 by default: a batch of 20 contacts
        is answered in a few seconds, and one that is given up costs a search for its stamps."""
        return self.seconds * 4 / 9

    @property
    def skew(self) -> float:
        """How far the clocks of two machines may be apart: another machine's lease is left alone
        for that much longer. 10 by default."""
        return self.seconds / 9
