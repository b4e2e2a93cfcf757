from __future__ import annotations

import json
from datetime import UTC, datetime
from ipaddress import ip_address
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509

from gateway.cli.certificate import make_certificate, new_key
from gateway.cli.credentials import end_of_day
from gateway.cli.output import instant, show_facts, show_rows
from gateway.domain.errors import ConfigError, Malformed

ROWS = [{"name": "Ann", "teams": ["a", "b"], "id": 1}, {"name": "Bo", "teams": [], "id": None}]
COLUMNS = {"name": "NAME", "teams": "TEAMS"}


def test_rows_are_a_plain_table_when_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, COLUMNS, as_json=False, nothing="nobody")
    assert capsys.readouterr().out == "NAME  TEAMS\nAnn   a, b\nBo    -\n"


def test_no_rows_say_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([], COLUMNS, as_json=False, nothing="nobody: add somebody")
    assert capsys.readouterr().out == "nobody: add somebody\n"


def test_json_has_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, COLUMNS, as_json=True, nothing="nobody")
    assert json.loads(capsys.readouterr().out) == ROWS
    show_rows([], COLUMNS, as_json=True, nothing="nobody")
    assert json.loads(capsys.readouterr().out) == []


def test_facts_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    show_facts({"assigned_to": ["ann"], "closed": None, "open": True}, as_json=False)
    assert capsys.readouterr().out == "assigned to  ann\nclosed       -\nopen         yes\n"


def test_instants_are_iso_8601_in_utc() -> None:
    assert instant(0) == "1970-01-01T00:00:00+00:00"
    assert instant(None) is None


def test_the_last_day_of_a_right_is_inclusive_and_of_the_programmes_zone() -> None:
    end = end_of_day("2027-01-31", ZoneInfo("America/New_York"))
    assert instant(end) == "2027-02-01T05:00:00+00:00"
    with pytest.raises(Malformed):
        end_of_day("31.1.2027", ZoneInfo("UTC"))


def test_a_trial_certificate_has_its_names_and_ends_in_about_a_year() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    pem = make_certificate(new_key(), ["mail.example.gov", "127.0.0.1", "::1", "mail.example.gov"], now)
    certificate = x509.load_pem_x509_certificate(pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mail.example.gov"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]
    assert 390 < (certificate.not_valid_after_utc - now).days < 398
    certificate.verify_directly_issued_by(certificate)


def test_a_key_of_another_kind_is_no_reason_to_overwrite_it() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ConfigError, match="Put the certificate beside it"):
        make_certificate(pem, ["localhost"], datetime.now(UTC))
