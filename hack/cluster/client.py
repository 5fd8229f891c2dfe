"""The Kubernetes API without a process for each request: for whoever polls or tidies up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubernetes import config
from kubernetes.client import ApiClient
from urllib3.exceptions import HTTPError

from cluster.errors import RequestFailedError

MERGE_PATCH = "application/merge-patch+json"
"""RFC 7396."""


class Client:
    """The kubeconfig's user, over connections that are kept. Usable from any thread. Every request
    returns what is answered, or None if nothing is at the path (404), and raises
    RequestFailedError."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client: ApiClient = config.new_client_from_config(  # type: ignore[no-untyped-call]
            str(kubeconfig)
        )

    def get(self, path: str) -> Any:
        return self._asked("GET", path)

    def patch(self, path: str, change: Mapping[str, object]) -> Any:
        """A JSON merge patch."""
        return self._asked("PATCH", path, {"Content-Type": MERGE_PATCH}, change)

    def delete(self, path: str) -> Any:
        """Without waiting for finalizers."""
        return self._asked("DELETE", path)

    def _asked(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        change: object = None,
    ) -> Any:
        request = self._client.param_serialize(
            method,
            path,
            header_params=dict(headers or {}),
            body=change,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request)
            body: bytes = response.read()  # type: ignore[no-untyped-call]
        except HTTPError as error:
            raise RequestFailedError(f"{method} {path}: {error}") from error
        if response.status == 404:
            return None
        if response.status >= 300:
            raise RequestFailedError(f"{method} {path} is answered by {response.status}: {body!r}")
        return json.loads(body)

    def close(self) -> None:
        self._client.rest_client.pool_manager.clear()
