"""Every error the engine raises: what happened, to which object, and what to do about it.

Messages name objects by id or by their Kubernetes name, never by personal data, and never
carry a secret or a remote server's own words unescaped (invariant 11).
"""

from __future__ import annotations


class CirahubError(Exception):
    """The root. `reason` is a condition reason (CamelCase); `stalled` says that retrying alone
    won't help: somebody has to change something first."""

    reason = "Failed"
    stalled = False

    def __init__(
        self, message: str, *, reason: str | None = None, stalled: bool | None = None
    ) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason
        if stalled is not None:
            self.stalled = stalled


class ConfigurationError(CirahubError):
    """A manifest or a setting asks for something that cannot be done."""

    reason = "InvalidConfiguration"
    stalled = True


class DecisionError(ConfigurationError):
    """What is to be decided does not exist, or can't be decided like that."""

    reason = "InvalidDecision"


class ConflictChangedError(DecisionError):
    """The conflict is not the one any more that somebody looked at."""

    reason = "ConflictChanged"


class PlanChangedError(DecisionError):
    """The plan is not the one any more that somebody looked at."""

    reason = "PlanChanged"


class MergeError(DecisionError):
    """Items that can't be merged or split like that."""

    reason = "InvalidMerge"


class ItemsChangedError(MergeError):
    """Something about the items is under way."""

    reason = "ItemsChanged"


class AddressRefusedError(ConfigurationError):
    """A service's name leads to an address that nothing is sent to: this machine, its link, a
    metadata service, or the inside of the cluster."""

    reason = "AddressRefused"


class KeyUnavailableError(CirahubError):
    """The store exists, but the key-encryption key that opens it does not."""

    reason = "KeyUnavailable"
    stalled = True


class CredentialError(CirahubError):
    """Signing in failed. Reasons: docs/resources/connection.md has them all."""

    reason = "CredentialsRejected"
    stalled = True


class AccessDeniedError(CirahubError):
    """Signed in, but not allowed: a role or a consent is missing."""

    reason = "AccessDenied"
    stalled = True


class TargetNotFoundError(CirahubError):
    """The mailbox or folder that a spoke names does not exist or has no mailbox."""

    reason = "TargetNotFound"
    stalled = True


class FolderNotFoundError(TargetNotFoundError):
    """The mailbox is there, the folder is not."""


class GroupNotFoundError(CirahubError):
    """The directory has not got a group that a filter names."""

    reason = "GroupNotFound"
    stalled = True


class FilterRefusedError(CirahubError):
    """The directory does not take the filter that a set names its members by."""

    reason = "FilterRefused"
    stalled = True


class TargetInUseError(CirahubError):
    """Another spoke already owns this target."""

    reason = "TargetInUse"
    stalled = True


class ManagedElsewhereError(CirahubError):
    """Items there carry the stamp of another installation."""

    reason = "ManagedElsewhere"
    stalled = True


class EndpointUnavailableError(CirahubError):
    """The service did not answer, or answered with a server error. Comes right by itself."""

    reason = "EndpointUnavailable"


class ThrottledError(EndpointUnavailableError):
    """The service asked us to wait for `retry_after` seconds."""

    reason = "Throttled"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProtocolError(EndpointUnavailableError):
    """An answer that the service's contract does not allow, or that was cut off."""

    reason = "ProtocolError"


class RedirectRefusedError(ProtocolError):
    """A service sent us elsewhere. Credentials stay with their own origin, so nobody went."""

    reason = "RedirectRefused"


class CursorExpiredError(CirahubError):
    """The delta token is no longer known (HTTP 410): the round has to start from nothing."""

    reason = "CursorExpired"


class LeaseLostError(CirahubError):
    """Another process holds the hub now; nothing more may be written."""

    reason = "LeaseLost"


class CrewUnavailableError(CirahubError):
    """Nobody can be had to work on the shards of a pass, or whoever was had has ended."""

    reason = "CrewUnavailable"


class StoreError(CirahubError):
    """The database cannot be read or written."""

    reason = "StoreUnavailable"


class ErasureUnderWayError(CirahubError):
    """What somebody left behind is being erased, and can't be taken up any more. Comes right by
    itself, once that is complete."""

    reason = "ErasureUnderWay"
