"""The certificate of a server of ours, from two files, and again whenever these change.

A Secret that cert-manager renews is a volume whose files are exchanged under a running pod.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from cirahub_operator.errors import OperatorError

logger = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int], ...]


class ServerCertificate:
    def __init__(self, certificate: Path, private_key: Path) -> None:
        """Raises OperatorError if they are not there, or do not belong together."""
        self._files = (certificate, private_key)
        self._stamp = self._look()
        self._current = self._load()
        self.context = _context()
        """For a server's sockets; each handshake gets the newest certificate."""
        self.context.sni_callback = self._exchange

    async def keep(self, every: float) -> None:
        """Look after so many seconds whether the files are others. Never ends."""
        while True:
            await asyncio.sleep(every)
            try:
                stamp = self._look()
                if stamp == self._stamp:
                    continue
                self._current = self._load()
            except OperatorError as error:
                logger.warning("%s; the certificate from before goes on being used", error)
            else:
                self._stamp = stamp
                logger.info("the certificate of %s was read again", self._files[0])

    def _exchange(self, connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        connection.context = self._current

    def _look(self) -> Stamp:
        try:
            found = [file.stat() for file in self._files]
        except OSError as error:
            raise OperatorError(
                f"{error.filename} can't be read ({error.strerror}); name a certificate and its "
                "key by --notifications-certificate and --notifications-key"
            ) from error
        return tuple((one.st_mtime_ns, one.st_ino, one.st_size) for one in found)

    def _load(self) -> ssl.SSLContext:
        certificate, private_key = self._files
        context = _context()
        try:
            # A key that wants a password is none of ours, and nobody is there to be asked for it.
            context.load_cert_chain(certificate, private_key, password="")
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
            raise OperatorError(
                f"{certificate} and {private_key} are no certificate with its key, in PEM "
                f"({reason or type(error).__name__}); name others by --notifications-certificate "
                "and --notifications-key"
            ) from error
        return context


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
