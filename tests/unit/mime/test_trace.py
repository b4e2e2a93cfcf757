"""The way a mail says it came, as mail systems write it."""

from __future__ import annotations

import pytest

from gateway.mime.scanner import Scanner
from gateway.mime.trace import MOST, Hop, hops_of

POSTFIX = (
    "from client.example (client.example [192.0.2.1])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"
    " (256/256 bits)\r\n\t key-exchange X25519)\r\n\t(No client certificate requested)\r\n"
    "\tby mta.example (Postfix) with ESMTPSA id 4fXyZ1;\r\n\tMon, 2 Nov 2026 15:00:00 +0000"
)
EXCHANGE = (
    "from DM8PR09MB6789.namprd09.prod.example (2603:10b6:8:1::1) by\r\n BN1PR09MB1234.namprd09.prod.example "
    "(2603:10b6:408:1::1) with Microsoft SMTP\r\n Server "
    "(version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id\r\n 15.20.1; Mon, 2 Nov 2026 15:00:00 +0000"
)


def hops(*received: str) -> tuple[Hop, ...]:
    scanner = Scanner()
    scanner.feed("".join(f"Received: {one}\r\n" for one in received).encode() + b"\r\nwords\r\n")
    return hops_of(scanner.finish())


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (POSTFIX, Hop("client.example", "mta.example", "ESMTPSA", "TLSV1.3 TLS_AES_256_GCM_SHA384")),
        (
            EXCHANGE,
            Hop(
                "DM8PR09MB6789.namprd09.prod.example", "BN1PR09MB1234.namprd09.prod.example", "SMTP",
                "TLS1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            ),
        ),
        ("from [192.0.2.7] by mta.example with ESMTPS id 1; now", Hop("192.0.2.7", "mta.example", "ESMTPS", "")),
        ("from a.example by b.example with ESMTP id 1; now", Hop("a.example", "b.example", "ESMTP", "")),
        ("by mta.example (Postfix, from userid 1000) id 4f; now", Hop("", "mta.example", "", "")),
    ],
)  # fmt: skip
def test_a_hop_is_read(field: str, wanted: Hop) -> None:
    assert hops(field) == (wanted,)


def test_what_tells_of_tls_is_encrypted_and_nothing_else() -> None:
    told = hops(POSTFIX, EXCHANGE, "from a by b with ESMTPS id 1", "from a by b with ESMTP id 1", "from a by b")
    assert [one.is_encrypted for one in reversed(told)] == [True, True, True, False, False]


def test_the_first_hop_comes_first() -> None:
    assert [one.by for one in hops("from b by c", "from a by b")] == ["b", "c"]


@pytest.mark.parametrize("field", ["", "words", "from a", "from " + "x" * 90_000, "((((((" * 9000])
def test_what_cannot_be_read_is_left_out(field: str) -> None:
    assert hops(field) == ()


def test_no_more_hops_are_read_than_anybody_looks_at() -> None:
    assert len(hops(*["from a by b"] * (MOST + 20))) == MOST
