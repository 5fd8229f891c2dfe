"""Where the API server is, and who we are to it."""

from __future__ import annotations

import os
from pathlib import Path

from kubernetes.aio import client, config

from cirahub_operator.errors import ClusterRefusedError


async def configuration() -> client.Configuration:
    """How to reach the API server: in a pod, by its ServiceAccount; elsewhere by KUBECONFIG or
    `~/.kube/config`. Raises ClusterRefusedError when there is neither."""
    made = client.Configuration()
    try:
        if "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(made)  # type: ignore[no-untyped-call]
        else:
            file = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube/config")
            await config.load_kube_config(  # type: ignore[no-untyped-call]
                file, client_configuration=made, persist_config=False
            )
    except (config.ConfigException, OSError) as error:
        raise ClusterRefusedError(
            f"no cluster to talk to ({error}): run in a pod, or set KUBECONFIG"
        ) from error
    return made
