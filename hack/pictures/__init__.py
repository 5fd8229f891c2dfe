"""Pictures of the dashboards for `docs/dashboards.md`: the operator is run through some eventful
minutes, a real Prometheus scrapes it, and what the panels ask for is drawn.

`make pictures`; not part of CI, whose tests look at the same queries.
"""
