"""What the tables of doors have in common: their limits, their certificate, the shape of a host's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from gateway.config.reading import Table
from gateway.config.settings import SubmissionLimits, TlsSettings
from gateway.config.sign_in import ClientCertificateSettings
from gateway.domain.credential import CertificateName

HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z")
HOST_SHAPE: Final = 'a host name in lower-case letters, such as "secure.example.gov"'

_RESPONDER: Final = re.compile(r"https?://[!-~]{1,500}\Z")
ADDRESS: Final = re.compile(r"[^\s@<>,;]{1,64}@[a-z0-9.-]{1,253}\Z")


def read_limits(table: Table, in_flight: str) -> SubmissionLimits:
    """Read the limits of a mail door; `in_flight` is that key's default."""
    return SubmissionLimits(
        connections=table.whole("connections", 1000, 1, 1_000_000),
        connections_per_address=table.whole("connections_per_address", 50, 1, 1_000_000),
        in_flight_octets=table.size("in_flight", in_flight, 1024 * 1024),
        recipients=table.whole("recipients", 100, 1, 10_000),
        soft_errors=table.whole("soft_errors", 10, 1, 1000),
        hard_errors=table.whole("hard_errors", 20, 1, 1000),
        auth_failures=table.whole("auth_failures", 5, 1, 1000),
        command_seconds=table.time("command_time", "300 s"),
        stress_command_seconds=table.time("stress_command_time", "10 s"),
        chunk_seconds=table.time("chunk_time", "180 s"),
        minimum_rate=table.whole("minimum_rate", 500, 1, 1_000_000_000),
    )


def read_client_certificates(table: Table, *, must_look_up: bool) -> ClientCertificateSettings:
    """Read which client certificates mail tools sign in with."""
    crl = table.maybe_path("crl")
    ocsp = table.text("ocsp", "", _RESPONDER, 'the address of a responder: "http://…"')
    if must_look_up and crl is None and not ocsp:
        what = "and ocsp are missing, and a card that was taken back would still sign in (IA-5(2))."
        table.complain("crl", what, "Name a file of revocation lists, a responder, or both.")
    identity = table.choice("identity", "upn", [one.value for one in CertificateName])
    return ClientCertificateSettings(
        client_ca=table.path("client_ca", None), identity=CertificateName(identity), crl=crl, ocsp=ocsp
    )


def read_certificate(table: Table, tls: TlsSettings) -> tuple[Path, Path]:
    """Read a door's own certificate and key, or take those of [tls]."""
    if table.has("certificate") != table.has("key"):
        table.complain("certificate", "and key go together.", "Give both, or leave both out to use those of [tls].")
    return table.path("certificate", tls.certificate), table.path("key", tls.key)
