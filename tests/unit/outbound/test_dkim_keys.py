"""Keys that sign: each goes on from made to published to signing to retired, and no step is skipped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.domain.errors import ConfigError, NotAllowed, UnknownRecipient
from gateway.outbound.dkim_keys import LOOK_SECONDS, Algorithm, DkimKey, KeyFolder, KeyState, LiveSigners, what_differs

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "dkim", "gateway.example")


def published(folder: KeyFolder, selector: str, algorithm: Algorithm = Algorithm.ED25519) -> DkimKey:
    folder.make(selector, algorithm, NOW)
    return folder.mark(selector, KeyState.PUBLISHED, NOW)


def signing(folder: KeyFolder) -> list[str]:
    return [signer.selector for signer in folder.signers()]


def test_a_key_that_was_made_signs_only_after_it_was_published(folder: KeyFolder) -> None:
    folder.make("a", Algorithm.ED25519, NOW)
    with pytest.raises(NotAllowed, match="gateway dkim publish"):
        folder.activate("a", NOW)
    assert signing(folder) == []
    folder.mark("a", KeyState.PUBLISHED, NOW)
    assert folder.activate("a", NOW) == []
    assert signing(folder) == ["a"]


def test_a_new_key_takes_the_place_of_the_one_of_its_algorithm(folder: KeyFolder) -> None:
    for selector, algorithm in (("e1", Algorithm.ED25519), ("r1", Algorithm.RSA), ("e2", Algorithm.ED25519)):
        published(folder, selector, algorithm)
    folder.activate("e1", NOW)
    folder.activate("r1", NOW)
    assert signing(folder) == ["r1", "e1"]
    assert [one.selector for one in folder.activate("e2", NOW + timedelta(days=1))] == ["e1"]
    assert signing(folder) == ["r1", "e2"]
    assert folder.key("e1").gone_from(timedelta(days=14)) == NOW + timedelta(days=15)
    assert folder.key("e2").gone_from(timedelta(days=14)) is None


def test_an_activation_that_was_killed_half_way_is_ended_by_doing_it_again(folder: KeyFolder) -> None:
    for selector in ("e1", "e2"):
        published(folder, selector)
    folder.activate("e1", NOW)
    folder.mark("e2", KeyState.SIGNING, NOW)
    assert signing(folder) == ["e1", "e2"]
    folder.activate("e2", NOW)
    assert signing(folder) == ["e2"]


def test_a_retired_key_does_not_come_back(folder: KeyFolder) -> None:
    published(folder, "e1")
    folder.mark("e1", KeyState.RETIRED, NOW)
    for state in (KeyState.PUBLISHED, KeyState.SIGNING):
        with pytest.raises(NotAllowed):
            folder.mark("e1", state, NOW)


def test_a_key_in_use_is_not_removed(folder: KeyFolder) -> None:
    published(folder, "e1")
    for state in (KeyState.PUBLISHED, KeyState.SIGNING):
        folder.mark("e1", state, NOW)
        with pytest.raises(NotAllowed, match="gateway dkim retire e1"):
            folder.remove("e1")
    folder.mark("e1", KeyState.RETIRED, NOW)
    folder.remove("e1")
    assert list(folder.folder.iterdir()) == []
    with pytest.raises(UnknownRecipient):
        folder.key("e1")


def test_a_key_is_never_overwritten(folder: KeyFolder) -> None:
    made = folder.make("e1", Algorithm.ED25519, NOW)
    with pytest.raises(ConfigError, match="never overwritten"):
        folder.make("e1", Algorithm.ED25519, NOW)
    assert folder.key("e1").record == made.record


def test_what_a_kill_left_of_a_key_is_no_key_and_in_nobody_s_way(folder: KeyFolder) -> None:
    folder.make("e1", Algorithm.ED25519, NOW)
    (folder.folder / "e1.json").unlink()
    assert folder.all() == []
    folder.make("e1", Algorithm.ED25519, NOW)
    assert [one.selector for one in folder.all()] == ["e1"]


def test_files_are_their_owner_s_alone_and_one_that_others_can_read_is_refused(folder: KeyFolder) -> None:
    folder.make("e1", Algorithm.ED25519, NOW)
    assert folder.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.folder.iterdir()} == {0o600}
    (folder.folder / "e1.pem").chmod(0o640)
    with pytest.raises(ConfigError, match=r"e1\.pem"):
        folder.all()


@pytest.mark.parametrize(
    "told",
    ["", "[]", "{}", '{"state": "signing", "since": {"made": "2026-03-01T00:00:00+00:00"}}', '{"state": 1, "since": 2}',
     '{"state": "made", "since": {"made": "2026-03-01"}}', '{"state": "gone", "since": {}}'],
)  # fmt: skip
def test_a_state_that_was_not_written_here_is_refused(folder: KeyFolder, told: str) -> None:
    folder.make("e1", Algorithm.ED25519, NOW)
    (folder.folder / "e1.json").write_text(told)
    with pytest.raises(ConfigError, match=r"e1\.json"):
        folder.all()


@pytest.mark.parametrize("selector", ["", "a b", "A", "../a", "a.b", "x" * 64, "a/b", "-a"])
def test_a_selector_is_a_label(folder: KeyFolder, selector: str) -> None:
    with pytest.raises(ConfigError, match="no selector"):
        folder.make(selector, Algorithm.ED25519, NOW)
    with pytest.raises(UnknownRecipient):
        folder.key(selector)


def test_a_key_of_elsewhere_is_taken_if_it_signs_mail(folder: KeyFolder) -> None:
    key = generate_private_key(65537, 2048)
    taken = folder.take("old", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), NOW)
    assert (taken.algorithm, taken.state) == (Algorithm.RSA, KeyState.MADE)
    with pytest.raises(ConfigError):
        folder.take("other", b"nonsense", NOW)
    assert [one.selector for one in folder.all()] == ["old"]


def test_a_change_counts_without_a_restart_and_what_cannot_be_read_changes_nothing(folder: KeyFolder) -> None:
    seconds = [0.0]
    live = LiveSigners(folder, lambda: seconds[0])
    assert list(live) == []
    published(folder, "e1")
    folder.activate("e1", NOW)
    assert list(live) == []
    seconds[0] += LOOK_SECONDS
    assert [one.selector for one in live] == ["e1"]
    folder.mark("e1", KeyState.RETIRED, NOW)
    (folder.folder / "e1.pem").chmod(0o644)
    seconds[0] += LOOK_SECONDS
    assert [one.selector for one in live] == ["e1"]


def test_a_record_s_strings_have_at_most_255_octets(folder: KeyFolder) -> None:
    record = folder.make("r1", Algorithm.RSA, NOW).record
    pieces = record.value.strip('"').split('" "')
    assert [len(one) for one in pieces][:1] == [255]
    assert "".join(pieces).startswith("v=DKIM1; k=rsa; p=")
    assert record.line == f"r1._domainkey.gateway.example. 3600 IN TXT {record.value}"


def test_what_dns_has_is_held_against_the_key(folder: KeyFolder) -> None:
    key, other = (folder.make(name, Algorithm.RSA, NOW) for name in ("r1", "r2"))
    text = key.signer.record[1].encode()
    p = text.partition(b"p=")[2]
    for fine in (text, b"p=" + p, b"k=rsa;p=" + p[:100] + b" " + p[100:], b"v=DKIM1; s=email:tlsrpt; t=s; p=" + p):
        assert what_differs([fine], key) == ""
    for texts, words in (
        ([], "has no TXT record"),
        ([text, text], "has 2 TXT records"),
        ([other.signer.record[1].encode()], "is another key"),
        ([b"v=DKIM1; k=ed25519; p=" + p], "is another key"),
        ([b"v=DKIM1; p="], "is revoked"),
        ([b"v=spf1 -all"], "is no DKIM record"),
        ([text + b"; t=y"], "is in test mode"),
        ([text + b"; s=tlsrpt"], "is not for mail"),
        ([text + b"; h=sha1"], "does not let sha256"),
    ):
        assert words in what_differs(texts, key)
