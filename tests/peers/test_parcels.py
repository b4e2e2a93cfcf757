"""Full copies opened by the programs of those they are for: gpg, OpenSSL, and mutt, which verifies who signed."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email
import email.policy
import io
import os
import pty
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.domain.errors import Malformed
from gateway.domain.recipient_key import KeyKind, RecipientKey
from gateway.mime.openpgp_signing import OpenPgpKey
from gateway.parcels.gpg import MOST_MEMORY, gpg_in, public_keys
from gateway.parcels.making import ParcelFailed, Reason, Signer, make
from gateway.parcels.openpgp_key import check_openpgp
from gateway.parcels.smime_signing import MailSigner
from tests.ring import Ring, open_ring
from tests.signing import DAY, card

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
ANN = "ann.ex@agency.example"
SENDER = "Agency Messages <messages@agency.example>"
WORDS = "Bond A-17 covers the wage."
MAIL = (
    "Subject: The bond\r\nContent-Type: multipart/mixed; boundary=part\r\n\r\n"
    "--part\r\nContent-Type: text/plain\r\n\r\n"
    f"{WORDS}  \r\n-- \r\nFrom here on blanks matter.\r\n--part--\r\n"
).encode()
PUSH = "push '<display-message><exit>'"
VALID = (NOW - DAY, NOW + 400 * DAY)
ROOT = card("Root", ca=True, valid=VALID)

for program in ("gpg", "openssl", "mutt"):
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}: make peers", allow_module_level=True)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ring]:
    with open_ring(tmp_path_factory.mktemp("ann") / "ring") as found:
        yield found


@pytest.fixture(scope="module")
def ann(ring: Ring) -> RecipientKey:
    fingerprint = ring.key(f"Ann Ex <{ANN}>", "cv25519 encr 1y")
    return check_openpgp(ring.public(fingerprint), [ANN], NOW)


@pytest.fixture(scope="module")
def own() -> OpenPgpKey:
    return OpenPgpKey(Ed25519PrivateKey.generate(), NOW - DAY, SENDER)


def parts(entity: bytes) -> list[email.message.EmailMessage]:
    mail = email.message_from_bytes(entity, policy=email.policy.default)
    assert set(map(str.lower, mail.keys())) <= {"content-type", "content-transfer-encoding", "content-disposition"}
    return list(mail.iter_parts())


class Watching(io.RawIOBase):
    """Is read for gpg, and notes the limits of the process that it is read for."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[tuple[int, int]] = []

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        for one in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                name, _, facts = one.read_text().partition("(")[2].rpartition(")")
                if name == "gpg" and int(facts.split()[1]) == os.getpid():
                    self.limits.append(resource.prlimit(int(one.parent.name), resource.RLIMIT_AS))
        return b""


def test_a_run_of_gpg_has_no_more_memory_than_it_needs(ring: Ring) -> None:
    stream = Watching()
    with public_keys() as home:
        gpg_in(home, NOW).verify_file(stream)
    assert stream.limits == [(MOST_MEMORY, MOST_MEMORY)]


def test_the_checked_key_is_small_and_ends_when_its_subkey_does(ann: RecipientKey) -> None:
    assert ann.kind is KeyKind.OPENPGP
    assert ann.address == ANN
    assert ann.expires is not None
    assert 364 * DAY < ann.expires - NOW < 366 * DAY
    assert len(ann.octets) < 1000


def test_gpg_decrypts_a_full_copy_and_verifies_the_signature_in_it(
    ring: Ring, ann: RecipientKey, own: OpenPgpKey
) -> None:
    entity = make(ann, MAIL, Signer(openpgp=own), now=NOW)
    version, sealed = parts(entity)
    assert version.get_content().strip() == b"Version: 1"
    assert WORDS.encode() not in entity
    clear = ring.gpg("--decrypt", octets=sealed.get_content()).stdout
    signed, signature = clear.split(b"--=_openpgp\r\n")[1:]
    assert signed == MAIL + b"\r\n"
    ring.gpg("--import", octets=own.certificate)
    packet = signature.partition(b"\r\n\r\n")[2].partition(b"--=_openpgp")[0]
    assert f"VALIDSIG {own.fingerprint}" in ring.verified(MAIL, packet)


def test_a_key_from_a_computer_whose_clock_is_ahead_gets_its_copies(ring: Ring) -> None:
    later = int((NOW + dt.timedelta(minutes=20)).timestamp())
    fingerprint = ring.key(f"Early Ann <{ANN}>", "cv25519 encr 1y", at=f"{later}!")
    key = check_openpgp(ring.public(fingerprint), [ANN], NOW)
    sealed = parts(make(key, MAIL, None, now=NOW))[1]
    assert ring.gpg("--decrypt", octets=sealed.get_content()).stdout == MAIL


def test_without_a_key_of_the_gateway_the_copy_is_encrypted_alone(ring: Ring, ann: RecipientKey) -> None:
    sealed = parts(make(ann, MAIL, None, now=NOW))[1]
    assert ring.gpg("--decrypt", octets=sealed.get_content()).stdout == MAIL


def test_mutt_shows_a_full_copy_and_verifies_its_signature(
    ring: Ring, ann: RecipientKey, own: OpenPgpKey, tmp_path: Path
) -> None:
    ring.gpg("--import", octets=own.certificate)
    head = f"From MAILER Mon Nov 23 00:00:00 2026\nFrom: {SENDER}\nTo: {ANN}\nSubject: x\nMIME-Version: 1.0\n"
    copy = make(ann, MAIL, Signer(openpgp=own), now=NOW).replace(b"\r\n", b"\n")
    (tmp_path / "mbox").write_bytes(head.encode() + copy + b"\n")
    (tmp_path / "shown").mkdir()
    settings = {
        "pager": f"cp -t {tmp_path}/shown",
        "prompt_after": "no",
        "crypt_use_gpgme": "yes",
        "folder": tmp_path,
        "record": "",
    }
    (tmp_path / "muttrc").write_text("".join(f'set {name}="{value}"\n' for name, value in settings.items()))
    run_mutt(["mutt", "-n", "-R", "-F", f"{tmp_path}/muttrc", "-f", f"{tmp_path}/mbox", "-e", PUSH], ring.home)
    (shown,) = (tmp_path / "shown").iterdir()
    told = shown.read_text()
    assert WORDS in told
    assert "Good signature from" in told
    assert "Agency Messages" in told


def run_mutt(command: list[str], home: Path) -> None:
    """Run it on a terminal of its own until it has ended."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update({"TERM": "vt100", "GNUPGHOME": str(home), "HOME": str(home), "LC_ALL": "C.UTF-8"})
        os.execvp(command[0], command)
    with contextlib.suppress(OSError):
        while os.read(terminal, 4096):
            pass
    os.waitpid(child, 0)
    os.close(terminal)


def test_openssl_decrypts_a_full_copy_and_verifies_the_signature_in_it(tmp_path: Path) -> None:
    private = rsa.generate_private_key(65537, 2048)
    mine = card("Ann Ex", ANN, issuer=ROOT, key=private, valid=VALID)
    sender = card("Messages", "messages@agency.example", issuer=ROOT, valid=VALID)
    key = RecipientKey(KeyKind.SMIME, mine.octets + ROOT.octets, "AB" * 32, VALID[1], ANN)
    entity = make(key, MAIL, Signer(smime=MailSigner(sender.key, sender.certificate)), now=NOW)
    assert b"smime-type=enveloped-data" in entity
    (tmp_path / "key.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "root.pem").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    opened = openssl(tmp_path, "-decrypt", "-inkey", "key.pem", octets=b"MIME-Version: 1.0\r\n" + entity)
    checked = openssl(tmp_path, "-verify", "-CAfile", "root.pem", "-purpose", "smimesign", octets=opened)
    assert WORDS.encode() in checked
    assert b"aes-256-cbc" in openssl(tmp_path, "-cmsout", "-print", octets=b"MIME-Version: 1.0\r\n" + entity)


def openssl(folder: Path, *arguments: str, octets: bytes) -> bytes:
    (folder / "in.eml").write_bytes(octets)
    done = subprocess.run(["openssl", "cms", *arguments, "-in", "in.eml"], cwd=folder, capture_output=True, check=True)
    return done.stdout


Make = Callable[[Ring], bytes]
EPOCH = "20200101T000000"


def later_revoked(ring: Ring) -> bytes:
    fingerprint = ring.key(f"Revoked <{ANN}>", "cv25519 encr never")
    revocation = (
        (ring.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text().replace(":-----BEGIN", "-----BEGIN")
    )
    ring.gpg("--import", octets=revocation.encode())
    return ring.public(fingerprint)


REFUSED: list[tuple[str, Make, str]] = [
    ("another's", lambda ring: ring.public(ring.key("Bo <bo@agency.example>", "cv25519 encr 1y")), "has your address"),
    ("no encryption", lambda ring: ring.public(ring.key(f"Signs <{ANN}>")), "Nothing can be encrypted to this key"),
    (
        "subkey over",
        lambda ring: ring.public(ring.key(f"Over <{ANN}>", "cv25519 encr 1d", expires="20y", at=EPOCH)),
        "Nothing can be encrypted to this key",
    ),
    (
        "expired",
        lambda ring: ring.public(ring.key(f"Expired <{ANN}>", "cv25519 encr 1d", expires="2d", at=EPOCH)),
        "This key has expired",
    ),
    ("tomorrow", lambda ring: ring.public(ring.key(f"Soon <{ANN}>", "cv25519 encr 1d")), "which is too soon"),
    ("weak", lambda ring: ring.public(ring.key(f"Weak <{ANN}>", "rsa1024 encr 1y")), "RSA with 1024 bits"),
    ("curve", lambda ring: ring.public(ring.key(f"Curve <{ANN}>", "brainpoolP256r1 encr 1y")), "an algorithm or curve"),
    ("revoked", later_revoked, "This key is revoked"),
    (
        "two keys",
        lambda ring: ring.public(ring.key(f"One <{ANN}>"), ring.key(f"Two <{ANN}>")),
        "There are 2 keys in this",
    ),
    (
        "secret",
        lambda ring: ring.gpg("--armor", "--export-secret-keys", ring.key(f"Secret <{ANN}>")).stdout,
        "This is a secret key",
    ),
    ("nonsense", lambda ring: b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n", "No public key can be read"),
]


@pytest.mark.parametrize(("made", "said"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_a_key_that_is_of_no_use_is_refused_in_words(ring: Ring, made: Make, said: str) -> None:
    with pytest.raises(Malformed) as caught:
        check_openpgp(made(ring), [ANN], NOW)
    assert said in caught.value.advice


def test_an_address_counts_in_any_letter_case_and_rsa_from_2048_bits(ring: Ring) -> None:
    octets = ring.public(
        ring.key("Ann <Ann.Ex@Agency.example>", "rsa2048 encr never", algorithm="rsa2048", expires="0")
    )
    now = dt.datetime.now(dt.UTC)
    key = check_openpgp(octets, ["else@agency.example", ANN], now)
    assert (key.address, key.expires) == (ANN, None)
    clear = ring.gpg("--decrypt", octets=parts(make(key, MAIL, None, now=now))[1].get_content()).stdout
    assert clear == MAIL


@pytest.mark.parametrize("mail", [b"bare\nline\r\n", b"bare\rreturn\r\n", "ä\r\n".encode(), b"nothing\0\r\n"])
def test_a_mail_that_a_signature_would_not_survive_is_not_made(ann: RecipientKey, mail: bytes) -> None:
    with pytest.raises(ParcelFailed) as caught:
        make(ann, mail, None, now=NOW)
    assert caught.value.reason is Reason.BAD_CONTENT


def test_nothing_is_made_for_a_key_that_has_ended(ann: RecipientKey) -> None:
    for now in (NOW + 370 * DAY, NOW + 800 * DAY):
        with pytest.raises(ParcelFailed) as caught:
            make(ann, MAIL, None, now=now)
        assert caught.value.reason is Reason.BAD_KEY


async def test_several_copies_are_made_at_once_and_nothing_is_left_behind(
    ann: RecipientKey, own: OpenPgpKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # in /tmp others make and delete theirs
    made = await asyncio.gather(*(asyncio.to_thread(make, ann, MAIL, Signer(openpgp=own), now=NOW) for _ in range(4)))
    assert len(set(made)) == 4
    assert list(tmp_path.iterdir()) == []
