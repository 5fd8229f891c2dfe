"""What the operator may do in a cluster, as data: manifests, a page and a check come from it."""

from cirahub_operator.permissions.rules import RULES, Action, Rule, Scope

__all__ = ["RULES", "Action", "Rule", "Scope"]
