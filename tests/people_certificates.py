"""An authority of people's certificates, as of PIV cards, for tests: it issues, revokes, and has a responder."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from gateway.identity.certificates import FASC_N, UPN
from tests.ports import free_port

DAY = dt.timedelta(days=1)
FASC = bytes(range(1, 26))
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass
class TestAuthority:
    """One authority in a folder: `file` is its certificate, `crl` its list, which `publish` writes."""

    __test__ = False

    folder: Path
    name: str = "Test People CA"
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    revoked: list[int] = field(default_factory=list)
    issued: list[x509.Certificate] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        subject, now = self.subject, dt.datetime.now(dt.UTC)
        builder = self._builder(subject, self.key, now - DAY, now + 365 * DAY)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(x509.BasicConstraints(True, 0), True).add_extension(usage, True)
        self.certificate = builder.sign(self.key, hashes.SHA256())
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        self._write_key(self.folder / "ca.key", self.key)
        self.publish()

    @property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def crl(self) -> Path:
        return self.folder / "ca.crl"

    def issue(
        self, name: str, *, purpose: ObjectIdentifier | None = CLIENT, until: dt.timedelta = DAY, upn: str = ""
    ) -> tuple[Path, Path]:
        """Files of a certificate and its key: all three kinds of name are in it."""
        key, now = rsa.generate_private_key(65537, 2048), dt.datetime.now(dt.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        principal = (upn or f"{name}@agency.example").encode()
        names: list[x509.GeneralName] = [
            x509.RFC822Name(f"{name}@agency.example"),
            x509.OtherName(UPN, b"\x0c" + bytes([len(principal)]) + principal),
            x509.OtherName(FASC_N, b"\x04\x19" + FASC),
        ]
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        builder = (
            self._builder(subject, key, now - 2 * DAY, now + until)
            .add_extension(x509.SubjectAlternativeName(names), False)
            .add_extension(usage, True)
        )
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
        made = builder.sign(self.key, hashes.SHA256())
        self.issued.append(made)
        chain, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self._write_key(secret, key)
        return chain, secret

    def revoke(self, certificate: Path) -> None:
        self.revoked.append(x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number)

    def publish(self, *, over: bool = False, by: rsa.RSAPrivateKey | None = None) -> None:
        """Write the list: of now, or one that is over."""
        now = dt.datetime.now(dt.UTC)
        until = now + (-dt.timedelta(hours=1) if over else DAY)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.subject)
        builder = builder.last_update(now - DAY).next_update(until)
        for serial in self.revoked:
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - DAY).build()
            builder = builder.add_revoked_certificate(one)
        signed = builder.sign(by or self.key, hashes.SHA256())
        fresh = self.folder / "fresh"
        fresh.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        fresh.replace(self.crl)

    @contextlib.asynccontextmanager
    async def responder(self) -> AsyncIterator[str]:
        """Run openssl's responder on what is issued and revoked at its start; give its address."""
        if shutil.which("openssl") is None:
            pytest.skip("needs openssl: make peers")
        lines = []
        for one in self.issued:
            gone = one.serial_number in self.revoked
            ends = one.not_valid_after_utc.strftime("%y%m%d%H%M%SZ")
            when = "260101000000Z" if gone else ""
            serial = f"{one.serial_number:X}"
            serial = serial.zfill(len(serial) + len(serial) % 2)
            lines.append(f"{'R' if gone else 'V'}\t{ends}\t{when}\t{serial}\tunknown\t/CN=one\n")
        (self.folder / "index.txt").write_text("".join(lines))
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            "openssl", "ocsp", "-port", str(port), "-index", str(self.folder / "index.txt"), "-CA", str(self.file),
            "-rkey", str(self.folder / "ca.key"), "-rsigner", str(self.file), "-nmin", "5",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(60):
                assert process.stdout
                while b"aiting" not in await process.stdout.readline():  # to connect to see would keep it busy
                    assert process.returncode is None
            yield f"http://127.0.0.1:{port}/"
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _builder(
        self, subject: x509.Name, key: rsa.RSAPrivateKey, begin: dt.datetime, end: dt.datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )

    def _write_key(self, file: Path, key: rsa.RSAPrivateKey) -> None:
        kind = serialization.PrivateFormat.PKCS8
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
        file.chmod(0o600)
