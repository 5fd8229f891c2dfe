"""What is left when pods, the API server and PostgreSQL are killed while people change things:
``make soak``.

Two replicas of the operator on a node of our own, with Leases that run out in seconds; PostgreSQL
and Microsoft 365 beside it on this machine, where neither goes with the node. Blows are planned
from a seed. When all is over everything has to become Ready, and every mailbox to hold what
`e2e.expectation` makes of the others: docs/e2e.md.
"""
