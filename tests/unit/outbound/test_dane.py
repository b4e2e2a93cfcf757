from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.outbound.dane import is_named, usable
from gateway.outbound.names import Association
from tests.authority import Authority, Shown

HOST = "mx.agent.example"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dane")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def shown(authority: Authority) -> Shown:
    return authority.issue(HOST)


def record(text: str) -> Association:
    usage, selector, matching, octets = text.split()
    return Association(int(usage), int(selector), int(matching), bytes.fromhex(octets))


def chain(shown: Shown, *above: Authority | Shown) -> list[bytes]:
    return [one.certificate.public_bytes(Encoding.DER) for one in (shown, *above)]


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_a_host_s_own_certificate_is_known_by_any_form_of_record(
    shown: Shown, authority: Authority, selector: int, matching: int
) -> None:
    own = record(shown.tlsa(3, selector, matching))
    assert is_named(chain(shown), [own], (HOST,), NOW)
    assert is_named(chain(shown, authority), [own], ("another.example",), NOW + timedelta(days=1000))
    assert not is_named(chain(authority.issue(HOST), authority), [own], (HOST,), NOW)


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_an_authority_vouches_for_name_and_time(
    shown: Shown, authority: Authority, selector: int, matching: int
) -> None:
    of_authority = [record(authority.tlsa(2, selector, matching))]
    assert is_named(chain(shown, authority), of_authority, ("agent.example", HOST), NOW)
    assert not is_named(chain(shown, authority), of_authority, ("agent.example",), NOW)
    assert not is_named(chain(shown, authority), of_authority, (HOST,), NOW + timedelta(days=11))
    assert not is_named(chain(authority.issue(HOST, expired=True), authority), of_authority, (HOST,), NOW)


def test_an_authority_that_is_not_shown_vouches_only_where_its_record_has_it_whole(
    shown: Shown, authority: Authority
) -> None:
    assert is_named(chain(shown), [record(authority.tlsa(2, 0, 0))], (HOST,), NOW)
    assert not is_named(chain(shown), [record(authority.tlsa(2, 0, 1))], (HOST,), NOW)


def test_to_show_an_authority_beside_one_s_own_certificate_is_not_to_be_vouched_for(
    authority: Authority, folder: Path
) -> None:
    forged = Authority(folder, "Forger").issue(HOST)
    assert not is_named(chain(forged, authority), [record(authority.tlsa(2, 0, 1))], (HOST,), NOW)


def test_a_mere_host_vouches_for_nobody(authority: Authority) -> None:
    other = authority.issue("other.example")
    below = authority.issue(HOST, signer=other)
    for named in (authority.tlsa(2, 0, 1), other.tlsa(2, 0, 1)):
        assert not is_named(chain(below, other, authority), [record(named)], (HOST,), NOW)


@pytest.mark.parametrize(
    "text",
    [
        "0 0 1 " + "00" * 32, "1 1 1 " + "00" * 32, "4 0 1 " + "00" * 32, "3 2 1 " + "00" * 32, "3 1 3 " + "00" * 32,
        "3 1 1 " + "00" * 31, "3 1 2 " + "00" * 32, "3 1 0 ",
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_kept_to_is_left_out(text: str) -> None:
    usage, selector, matching, *octets = text.split()
    one = Association(int(usage), int(selector), int(matching), bytes.fromhex("".join(octets)))
    assert usable([one]) == ()


def test_what_is_no_certificate_is_not_named(shown: Shown) -> None:
    own = record(shown.tlsa(3, 1, 1))
    for nonsense in ([], [b""], [b"\x30\x00"], [b"x" * 1000]):
        assert not is_named(nonsense, [own], (HOST,), NOW)
    assert not is_named(chain(shown), [Association(2, 0, 0, b"x")], (HOST,), NOW)
