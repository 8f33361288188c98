"""Certificates while the server runs.

Files that change are noticed, our own certificate is renewed in time, and who is no longer trusted is shut out.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread

from opcua_model.certificates import (
    CERTIFICATE,
    KEY,
    CertificateError,
    Identity,
    load_identity,
    own_making,
    renew_identity,
)
from opcua_model.desk import log
from opcua_model.settings import Settings
from opcua_model.stack import policies
from opcua_model.trust import FOLDERS

LOOK_S: Final = 1.0
"""How often the folders are looked at: what `cvd cert` did holds within this time."""


class Guard:
    """Keeps what the endpoint shows and whom it lets in as the files say."""

    def __init__(self, internal: Any, settings: Settings, kinds: list[Any]) -> None:
        self._internal = internal
        self._folder: Path = settings.folder
        self._early = timedelta(days=settings.renew_days)
        self._kinds = kinds
        self._stamp: tuple[int, ...] = ()
        self._warned = ""

    async def begin(self, identity: Identity) -> None:
        """Read the trust list and use a certificate, before anybody connects.

        Raises:
            CertificateError: a file of the trust list is none.
        """
        await anyio.to_thread.run_sync(self._make_folders)
        await anyio.to_thread.run_sync(self._internal.trust.refresh)
        self._stamp = await anyio.to_thread.run_sync(self._own_stamp)
        self.adopt(identity)

    def adopt(self, identity: Identity) -> None:
        """Use a certificate for every channel that is opened from now on."""
        internal = self._internal
        internal.certificate, internal.private_key = identity.certificate, identity.key
        internal.policies = [
            policies.SecurityPolicyFactory(policy, mode, identity.certificate, identity.key)
            for policy, mode, _ in (policies.SECURITY_POLICY_TYPE_MAP[kind] for kind in self._kinds)
        ]
        for endpoint in internal.endpoints:
            endpoint.ServerCertificate = identity.der

    async def run(self) -> None:
        """Look at the files, again and again."""
        while True:
            await anyio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Look at the files once."""
        try:
            changed = await anyio.to_thread.run_sync(self._internal.trust.refresh)
            identity = await anyio.to_thread.run_sync(self._renewed)
        except CertificateError as error:
            if str(error) != self._warned:
                log.error("certificates_unreadable", reason=str(error))
            self._warned = str(error)
            return
        self._warned = ""
        if identity is not None:
            self.adopt(identity)
            log.info("certificate_renewed", until=str(identity.certificate.not_valid_after_utc))
        if changed:
            self._shut_out()

    def _shut_out(self) -> None:
        """End the connections of applications that may no longer connect."""
        for connection in list(self._internal.listener.clients if self._internal.listener else ()):
            der = connection.processor.certificate
            if der is not None and self._internal.trust.judge(der) is not None:
                connection.drop("its certificate is no longer trusted")

    def _make_folders(self) -> None:
        for name in FOLDERS:
            (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def _own_stamp(self) -> tuple[int, ...]:
        try:
            stats = [(self._folder / name).stat() for name in (CERTIFICATE, KEY)]
        except OSError:
            return self._stamp
        return tuple(number for stat in stats for number in (stat.st_ino, stat.st_mtime_ns, stat.st_size))

    def _renewed(self) -> Identity | None:
        """Return the certificate when it is another one than before, made just now or put in place by somebody."""
        own = self._internal.certificate
        ends = own.not_valid_after_utc - datetime.now(UTC)
        if self._early and ends < self._early and own_making(own):
            renewed = renew_identity(self._folder)
            self._stamp = self._own_stamp()
            return renewed
        stamp = self._own_stamp()
        if stamp == self._stamp:
            return None
        identity = load_identity(self._folder)
        self._stamp = stamp
        return identity
