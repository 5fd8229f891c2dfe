"""Reads of the Kubernetes API without a process for each: for whoever polls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubernetes import config
from kubernetes.client import ApiClient
from urllib3.exceptions import HTTPError

from cluster.errors import RequestFailedError


class Reader:
    """The kubeconfig's user, over connections that are kept. Usable from any thread."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client: ApiClient = config.new_client_from_config(  # type: ignore[no-untyped-call]
            str(kubeconfig)
        )

    def get(self, path: str) -> Any:
        """The JSON that is at `path`, or None if nothing is (404). Raises RequestFailedError."""
        request = self._client.param_serialize("GET", path, auth_settings=["BearerToken"])
        try:
            response = self._client.call_api(*request)
            body: bytes = response.read()  # type: ignore[no-untyped-call]
        except HTTPError as error:
            raise RequestFailedError(f"GET {path}: {error}") from error
        if response.status == 404:
            return None
        if response.status != 200:
            raise RequestFailedError(f"GET {path} is answered by {response.status}: {body!r}")
        return json.loads(body)

    def close(self) -> None:
        self._client.rest_client.pool_manager.clear()
