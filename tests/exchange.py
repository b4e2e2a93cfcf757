"""Mail in the shape in which Exchange Online sends it, signed by a key of a domain in a test's DNS; built by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.outbound.dkim import Signer
from tests.nameserver import text

ORGANISATION = "agency.example"
TENANT = "11111111-2222-4333-8444-555555555555"
OTHER_TENANT = "99999999-8888-4777-8666-555555555555"
SELECTOR = "selector1"
KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
SIGNED = [b"from", b"date", b"subject", b"message-id", b"content-type", b"mime-version", b"x-ms-exchange-senderadcheck"]
"""What the service signs; neither Sender nor the tenant's headers are among it."""


def zone(domain: str = ORGANISATION, key: rsa.RSAPrivateKey = KEY) -> dict[tuple[str, str], list[str]]:
    """The record of a domain's key."""
    record = Signer(domain, SELECTOR, key).record[1]
    return {(f"{SELECTOR}._domainkey.{domain}", "TXT"): [text(record.encode())]}


@dataclass(frozen=True)
class Sample:
    """One mail. `tenancy` are the fields that the service stamps; `own` what else the header has."""

    author: str = "Dana <dana@agency.example>"
    own: tuple[str, ...] = ()
    tenancy: tuple[tuple[str, str], ...] = (
        ("X-MS-Exchange-CrossTenant-AuthAs", "Internal"),
        ("X-MS-Exchange-CrossTenant-AuthSource", "DM8PR09MB6789.agency.example"),
        ("X-MS-Exchange-CrossTenant-FromEntityHeader", "Hosted"),
        ("X-MS-Exchange-CrossTenant-Id", TENANT),
        ("X-OriginatorOrg", ORGANISATION),
    )
    content_type: str = "text/plain; charset=utf-8"
    body: bytes = b"The words of the message.\r\n"
    signer: str | None = ORGANISATION
    key: rsa.RSAPrivateKey = field(default=KEY, repr=False)
    after: Callable[[bytes], bytes] = lambda octets: octets

    def octets(self) -> bytes:
        fields = [
            f"From: {self.author}",
            "To: the case <case@secure.agency.example>, Omar <omar@agency.example>",
            "Subject: RE: [EXTERNAL] The concert",
            "Thread-Topic: The concert",
            "Thread-Index: AdlLx0m3l8eV1mO0Q3qFqkO3n1b2Yw==",
            "Date: Mon, 2 Nov 2026 15:00:00 +0000",
            "Message-ID: <DM8PR09MB6789ABCDEF@DM8PR09MB6789.agency.example>",
            "Accept-Language: en-US",
            "X-MS-Has-Attach:",
            *self.own,
            *(f"{name}: {value}" for name, value in self.tenancy),
            f"Content-Type: {self.content_type}",
            "MIME-Version: 1.0",
        ]
        mail = ("\r\n".join(fields) + "\r\n\r\n").encode() + self.body
        if self.signer is not None:
            pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
            named = [name for name in SIGNED if name != b"x-ms-exchange-senderadcheck"]
            form = (b"relaxed", b"relaxed")
            head = dkim.sign(
                mail, SELECTOR.encode(), self.signer.encode(), pem, canonicalize=form, include_headers=named
            )
            mail = bytes(head) + mail
        received = b"Received: from DM8PR09MB6789.agency.example by BN1PR09CU001.outbound.protection.example\r\n"
        return self.after(received + mail)

    def with_tenancy(self, change: Mapping[str, str | None]) -> Sample:
        """The same with fields of the service changed, or, by None, left out."""
        kept = tuple((name, change.get(name, value)) for name, value in self.tenancy)
        return replace(self, tenancy=tuple((name, value) for name, value in kept if value is not None))

    def doubled(self, name: str, value: str) -> Sample:
        """The same with one more field of a name, before the service's own."""
        return replace(self, tenancy=((name, value), *self.tenancy))


def multipart(content_type: str, octets: bytes, name: str) -> tuple[str, bytes]:
    """Content-Type and body of a mail with words and one attachment."""
    body = (
        b"--=_x\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThe words.\r\n"
        b"--=_x\r\nContent-Type: " + content_type.encode() + b"\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename=" + name.encode() + b"\r\n\r\n" + octets + b"\r\n--=_x--\r\n"
    )
    return 'multipart/mixed; boundary="=_x"', body
