"""TLS reports of strangers: read where they are some, refused within limits where they are not."""

from __future__ import annotations

import email
import email.policy
import gzip
import json
import random
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Malformed, TooLarge
from gateway.mime.tls_report import MOST_OCTETS, MOST_PACKED, TlsFailure, read_tls_report
from tests.corpus.site_reports import tls_report

POLICY: dict[str, Any] = {
    "policy": {"policy-type": "sts", "policy-domain": "secure.agency.example"},
    "summary": {"total-successful-session-count": 100, "total-failure-session-count": 3},
    "failure-details": [
        {"result-type": "certificate-expired", "receiving-mx-hostname": "mx.agency.example", "failed-session-count": 2},
        {"result-type": "validation-failure", "failed-session-count": "1"},
    ],
}
REPORT: dict[str, Any] = {
    "organization-name": "Tours",
    "date-range": {"start-datetime": "2026-04-01T00:00:00Z", "end-datetime": "2026-04-01T23:59:59Z"},
    "contact-info": "tls@tours.example",
    "report-id": "7",
    "policies": [POLICY, {"policy": {"policy-type": "no-policy-found"}, "summary": {}}],
}


def packed(told: object) -> bytes:
    return gzip.compress(json.dumps(told).encode())


@pytest.mark.parametrize("octets", [packed(REPORT), json.dumps(REPORT).encode()])
def test_a_report_is_read_packed_or_not(octets: bytes) -> None:
    report = read_tls_report(octets)
    assert (report.organisation, report.id, report.begin[:10], report.end[:10]) == (
        "Tours", "7", "2026-04-01", "2026-04-01",
    )  # fmt: skip
    assert (report.succeeded, report.failed) == (100, 3)
    assert report.policies[0].failures[0] == TlsFailure("certificate-expired", "mx.agency.example", 2)
    assert report.failures() == {"certificate-expired": 2, "validation-failure": 1}


def test_failures_told_singly_count_where_the_sum_hides_them() -> None:
    hidden = {**POLICY, "summary": {"total-successful-session-count": 9, "total-failure-session-count": 0}}
    assert read_tls_report(packed({**REPORT, "policies": [hidden]})).failed == 3


def test_the_reports_of_the_corpus_are_read() -> None:
    for seed in range(40):
        mail = email.message_from_bytes(tls_report(random.Random(seed)), policy=email.policy.default)
        (part,) = [one for one in mail.walk() if "tlsrpt+" in one.get_content_type()]
        octets = part.get_payload(decode=True)
        assert isinstance(octets, bytes)
        assert read_tls_report(octets).policies[0].domain == "secure.agency.example"


def test_text_cannot_steer_a_terminal() -> None:
    report = read_tls_report(packed({**REPORT, "organization-name": "\x1b]0;x\x07Tours\u202e" + "y" * 500}))
    assert report.organisation.isprintable()
    assert len(report.organisation) <= 200


@pytest.mark.parametrize(
    "told",
    [
        None, [], "x", 7, {}, {"policies": {}}, {"policies": "x"},
        *(
            {"policies": [{"summary": {"total-failure-session-count": count}}]}
            for count in (-1, 1.5, True, "1e3", 10**16, None, [])
        ),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused(told: object) -> None:
    with pytest.raises(Malformed):
        read_tls_report(packed(told))


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"\x1f\x8b", b"nonsense", b"\xff\xfe", packed(REPORT)[:-9], packed(REPORT)[:40],
        b"\x1f\x8b" + b"\x00" * 50, b"[" * 100_000, b'{"policies":' * 50_000,
        b'{"policies": [' + b"9" * 10_000 + b"]}", gzip.compress(b"[" * 100_000),
    ],
    ids=range(11),
)  # fmt: skip
def test_octets_that_are_no_report_are_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        read_tls_report(octets)


def test_what_unpacks_to_too_much_is_refused_before_it_has() -> None:
    bomb = zlib.compressobj(9, wbits=31)
    octets = b"".join(bomb.compress(b" " * 2**20) for _ in range(500)) + bomb.flush()
    assert len(octets) < MOST_PACKED
    with pytest.raises(TooLarge):
        read_tls_report(octets)
    with pytest.raises(TooLarge):
        read_tls_report(b" " * (MOST_PACKED + 1))
    assert len(gzip.compress(b" " * MOST_OCTETS)) < MOST_PACKED


def test_more_entries_than_anybody_has_are_refused() -> None:
    with pytest.raises(TooLarge):
        read_tls_report(packed({"policies": [POLICY] * 201}))
    many = {**POLICY, "failure-details": POLICY["failure-details"] * 10}
    with pytest.raises(TooLarge):
        read_tls_report(packed({"policies": [many] * 150}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*REPORT, *POLICY, "x"]), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*REPORT]), JSON) | JSON)
def test_any_json_is_read_or_refused(told: object) -> None:
    try:
        report = read_tls_report(packed(told))
    except (Malformed, TooLarge):
        return
    assert report.failed >= 0
