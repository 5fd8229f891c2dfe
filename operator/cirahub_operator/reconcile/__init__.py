"""One module a kind: looks at what is, does what is due, says how it went. Knows no Kopf."""

from cirahub_operator.reconcile.backlog import Backlog
from cirahub_operator.reconcile.connection import ConnectionReconciler
from cirahub_operator.reconcile.hub import HubReconciler
from cirahub_operator.reconcile.surroundings import Surroundings

__all__ = ["Backlog", "ConnectionReconciler", "HubReconciler", "Surroundings"]
