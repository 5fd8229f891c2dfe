"""Where the cluster's own services are: addresses that no remote of ours may have.

The ranges of pods and nodes are in no API object that every cluster has; `--cluster-range` names
them.
"""

from __future__ import annotations

import logging
import os

from cirahub_operator.cluster import Cluster
from cirahub_operator.errors import ClusterRefusedError, PermissionMissingError

logger = logging.getLogger(__name__)

_PATH = "/apis/networking.k8s.io/v1/servicecidrs"
"""https://kubernetes.io/docs/reference/kubernetes-api/networking/service-cidr-v1/"""


async def service_ranges(cluster: Cluster) -> tuple[str, ...]:
    """The ranges of Services, as far as the API tells, and the API server's own address. Raises
    ClusterUnreachableError."""
    host = os.environ.get("KUBERNETES_SERVICE_HOST")
    ours = (host,) if host else ()
    try:
        answer = await cluster.request("GET", _PATH, missing_ok=True)
    except (PermissionMissingError, ClusterRefusedError) as error:
        logger.warning(
            "the ranges of the cluster's Services are not known, so that only those of "
            "--cluster-range are refused to connections: %s",
            error,
        )
        return ours
    found = [
        str(range_)
        for one in (answer or {}).get("items", ())
        for range_ in (one.get("spec") or {}).get("cidrs", ())
    ]
    return (*ours, *found)
