"""Which words of labels panels tell apart. Tests hold them against what the operator says."""

from __future__ import annotations

ON_PURPOSE = "Grace|Remembered|OutsideWindow"
"""Reasons for which something waits that is as it should be."""
ASKING = (
    "Stalled|DeletionGuarded|MembersGuarded|ConflictsPending|ApprovalPending|CredentialsExpiring"
    "|ErasureIncomplete|ItemsFailing|MembersFailing"
)
"""Conditions that are there while somebody has to look, decide or approve."""
