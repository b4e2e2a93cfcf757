"""Mail that real OpenSSL and real GnuPG have signed, read in the portal; and a look at the page in a real browser."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.portal.openpgp import Keyring
from gateway.portal.signatures import Signatures, Trust
from tests.portal.browser import Browser
from tests.portal.conftest import Story, tell
from tests.portal.house import open_house
from tests.portal.test_signatures import told
from tests.signing import DAY, ENTITY, INES, Card, card, detached, header, opaque, openpgp, signed_data, signer

pytestmark = pytest.mark.asyncio(loop_scope="module")

TODAY = dt.datetime.now(dt.UTC)
VALID = (TODAY - DAY, TODAY + DAY)
TEXT = "The figures you asked for."
OPENSSL = shutil.which("openssl")
GPG = shutil.which("gpg")


@dataclass
class Site:
    """A house that trusts one authority and one keyring, with its reader; and a folder for the peers' own files."""

    story: Story
    browser: Browser
    folder: Path
    root: Card

    async def told(self, octets: bytes) -> list[str]:
        house = self.story.house
        reference = await house.receive(self.story.ines, self.story.case_id, [self.story.berg], octets)
        answer = await self.browser.see(f"/messages/{reference}")
        assert TEXT in answer.text
        return told(answer.text)

    def openssl(self, *arguments: str, octets: bytes = b"") -> bytes:
        command = [str(OPENSSL), *arguments]
        return subprocess.run(command, cwd=self.folder, input=octets, capture_output=True, check=True).stdout

    def gpg(self, *arguments: str, octets: bytes = b"", home: str = "author") -> bytes:
        command = [str(GPG), "--homedir", str(self.folder / home), "--batch", "--yes", "--quiet", "--passphrase", ""]
        return subprocess.run([*command, *arguments], input=octets, capture_output=True, check=True).stdout

    def make_key(self, user: str, algorithm: str = "ed25519", expires: str = "never") -> None:
        self.gpg("--quick-gen-key", user, algorithm, "sign", expires)

    def know(self, user: str) -> None:
        """Bring a public key into the site's keyring, as docs/operations.md says."""
        self.gpg("--import", octets=self.gpg("--export", user), home="site")

    def sign(self, user: str, octets: bytes = ENTITY, *how: str) -> bytes:
        return self.gpg("--local-user", f"={user}", *(how or ("--armor", "--detach-sign")), octets=octets)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose path is short enough for gpg-agent's sockets."""
    path = Path(os.path.realpath(tmp_path_factory.mktemp("signing")))
    for name in ("author", "site"):
        (path / name).mkdir(mode=0o700)
    yield path
    if shutil.which("gpgconf"):
        for name in ("author", "site"):
            subprocess.run(["gpgconf", "--homedir", str(path / name), "--kill", "all"], check=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(folder: Path) -> AsyncIterator[Site]:
    root = card("Agency Root", ca=True, valid=VALID)
    trust = Trust((root.certificate,), Keyring(folder / "site"))
    async with open_house(signatures=Signatures(trust)) as house, Browser(house) as browser:
        story = await tell(house)
        await browser.sign_in(story.berg)
        yield Site(story, browser, folder, root)


# ---- OpenSSL

KEYS = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
}


SIGNINGS = (
    ("rsa", ["-md", "sha256"]),
    ("rsa", ["-md", "sha512", "-keyid"]),
    ("p256", ["-md", "sha256"]),
    ("p384", ["-md", "sha384"]),
)
PSS = ["-keyopt", "rsa_padding_mode:pss"]
PSS_OPTIONS = (["-md", "sha256"], ["-md", "sha384", "-keyopt", "rsa_pss_saltlen:48"])  # the longest salt, and its usual


def laid_out(site: Site, key: str) -> Card:
    """Ines' certificate with this key, in the files that openssl reads."""
    who = card(issuer=site.root, key=KEYS[key], valid=VALID)
    (site.folder / "own.pem").write_bytes(who.certificate.public_bytes(Encoding.PEM))
    (site.folder / "key.pem").write_bytes(who.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (site.folder / "root.pem").write_bytes(site.root.certificate.public_bytes(Encoding.PEM))
    return who


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl: make peers")
@pytest.mark.parametrize(
    ("form", "key", "options"),
    [(form, key, options) for form in ("detached", "opaque", "streamed") for key, options in SIGNINGS]
    + [(form, "rsa", [*PSS, *options]) for form in ("detached", "opaque") for options in PSS_OPTIONS],
)
async def test_what_openssl_signs_is_good_here(site: Site, form: str, key: str, options: list[str]) -> None:
    laid_out(site, key)
    shape = {"detached": [], "opaque": ["-nodetach"], "streamed": ["-nodetach", "-stream", "-indef"]}[form]
    signing = ["cms", "-sign", "-binary", "-signer", "own.pem", "-inkey", "key.pem", "-outform", "DER"]
    made = await asyncio.to_thread(site.openssl, *signing, *shape, *options, octets=ENTITY)
    if form == "streamed":
        assert made[1] == 0x80
    entity = detached(made) if form == "detached" else opaque(made)
    (words,) = await site.told(header() + entity)
    assert words.startswith(f"Good S/MIME, by the author: Ines Adler <{INES}>."), words
    changed = detached(made, ENTITY.replace(b"\nInes", b"\nInez"))
    if form == "detached":
        (words,) = await site.told(header() + changed)
        assert words.startswith("Broken")


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl: make peers")
@pytest.mark.parametrize(("digest", "state"), [("sha1", "Not checked"), ("md5", "Not checked"), ("sha256", "Good")])
async def test_a_weak_digest_of_openssl_is_not_taken(site: Site, digest: str, state: str) -> None:
    laid_out(site, "rsa")
    signing = ["cms", "-sign", "-binary", "-signer", "own.pem", "-inkey", "key.pem", "-outform", "DER"]
    made = await asyncio.to_thread(site.openssl, *signing, "-md", digest, octets=ENTITY)
    (words,) = await site.told(header() + detached(made))
    assert words.startswith(state)


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl: make peers")
async def test_a_whole_mail_by_openssl_is_good_here(site: Site) -> None:
    laid_out(site, "p256")
    signing = ["cms", "-sign", "-signer", "own.pem", "-inkey", "key.pem", "-text"]
    made = await asyncio.to_thread(site.openssl, *signing, octets=f"{TEXT}\n".encode())
    lines = made.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").removeprefix(b"MIME-Version: 1.0\r\n")
    (words,) = await site.told(header() + lines)
    assert words.startswith("Good S/MIME")


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl: make peers")
@pytest.mark.parametrize("key", ["rsa", "p256", "p384"])
async def test_openssl_agrees_that_the_tests_own_signatures_are_right(site: Site, key: str) -> None:
    who = laid_out(site, key)
    (site.folder / "made.der").write_bytes(signed_data([signer(who, ENTITY)], [who.octets]))
    (site.folder / "content").write_bytes(ENTITY)
    checking = ["cms", "-verify", "-binary", "-inform", "DER", "-in", "made.der", "-content", "content"]
    verified = await asyncio.to_thread(site.openssl, *checking, "-CAfile", "root.pem")
    assert verified == ENTITY


# ---- GnuPG

needs_gpg = pytest.mark.skipif(GPG is None, reason="needs gpg: make peers")


@needs_gpg
@pytest.mark.parametrize("algorithm", ["ed25519", "rsa2048", "nistp256"])
async def test_what_gpg_signs_is_good_here(site: Site, algorithm: str) -> None:
    user = f"Ines {algorithm} <{INES}>"
    await asyncio.to_thread(site.make_key, user, algorithm)
    signature = await asyncio.to_thread(site.sign, user)
    (words,) = await site.told(header() + openpgp(signature))
    assert words.startswith("Not checked OpenPGP: ")
    assert "not known here" in words or "has no keys" in words  # nobody has brought a key so far
    await asyncio.to_thread(site.know, f"={user}")
    (words,) = await site.told(header() + openpgp(signature))
    assert words.startswith(f"Good OpenPGP, by the author: Ines {algorithm} <{INES}>.")
    (words,) = await site.told(header() + openpgp(signature, ENTITY.replace(b"\nInes", b"\nInez")))
    assert words.startswith("Broken")
    (words,) = await site.told(header("eve@agency.example") + openpgp(signature))
    assert words.startswith("Another’s OpenPGP")
    as_text = await asyncio.to_thread(site.sign, user, ENTITY, "--armor", "--detach-sign", "--textmode")
    (words,) = await site.told(header() + openpgp(as_text))
    assert words.startswith("Good OpenPGP")


@needs_gpg
async def test_a_text_signed_in_line_is_good_for_its_lines(site: Site) -> None:
    user = f"Ines Inline <{INES}>"
    await asyncio.to_thread(site.make_key, user)
    await asyncio.to_thread(site.know, f"={user}")
    text = f"{TEXT}  \n\n- one\n-- \nInes in Zürich\n".encode()
    signed = (await asyncio.to_thread(site.sign, user, text, "--clear-sign")).replace(b"\n", b"\r\n")
    plain = header() + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    (words,) = await site.told(plain + signed)
    assert words.startswith("Good OpenPGP")
    (words,) = await site.told(plain + b"Pay to another account.\r\n" + signed)
    assert words.startswith("Good for a part")
    (words,) = await site.told(plain + signed.replace(b"one", b"two", 1))
    assert words.startswith("Broken")
    (words,) = await site.told(plain + signed + signed)
    assert words.startswith("Not checked")


@needs_gpg
async def test_every_address_of_a_key_counts_until_it_is_revoked(site: Site) -> None:
    user = "Ines Old <old@agency.example>"
    await asyncio.to_thread(site.make_key, user)
    await asyncio.to_thread(site.gpg, "--quick-add-uid", f"={user}", f"Ines New <{INES}>")
    await asyncio.to_thread(site.know, f"={user}")
    signature = await asyncio.to_thread(site.sign, user)
    (words,) = await site.told(header() + openpgp(signature))
    assert words.startswith("Good OpenPGP")
    await asyncio.to_thread(site.gpg, "--quick-revoke-uid", f"={user}", f"Ines New <{INES}>")
    await asyncio.to_thread(site.know, f"={user}")
    (words,) = await site.told(header() + openpgp(signature))
    assert words.startswith("Another’s OpenPGP")
    assert INES not in words


@needs_gpg
async def test_an_expired_or_revoked_key_makes_no_claim(site: Site) -> None:
    expired, revoked = f"Ines Expired <{INES}>", f"Ines Revoked <{INES}>"
    await asyncio.to_thread(
        site.gpg, "--faked-system-time", "20200101T000000!", "--quick-gen-key", expired, "ed25519", "sign", "10d"
    )
    signature = await asyncio.to_thread(
        site.sign, expired, ENTITY, "--faked-system-time", "20200102T000000!", "--armor", "--detach-sign"
    )
    await asyncio.to_thread(site.know, f"={expired}")
    (words,) = await site.told(header() + openpgp(signature))
    assert words.startswith("Not known here OpenPGP")
    assert "had expired when the message was received" in words
    await asyncio.to_thread(site.make_key, revoked)
    signature = await asyncio.to_thread(site.sign, revoked)
    listed = (await asyncio.to_thread(site.gpg, "--with-colons", "--list-keys", f"={revoked}")).decode()
    fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    certificate = (site.folder / "author" / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes()
    await asyncio.to_thread(site.gpg, "--import", octets=certificate.replace(b":-----BEGIN", b"-----BEGIN"))
    await asyncio.to_thread(site.know, f"={revoked}")
    (words,) = await site.told(header() + openpgp(signature))
    assert words.startswith("Not known here OpenPGP")
    assert "has been revoked" in words


@needs_gpg
async def test_a_signed_message_in_place_of_a_signature_is_not_taken(site: Site) -> None:
    """gpg would check the message within and leave the text beside it alone."""
    user = f"Ines Nested <{INES}>"
    await asyncio.to_thread(site.make_key, user)
    await asyncio.to_thread(site.know, f"={user}")
    signed = await asyncio.to_thread(site.sign, user, b"another text", "--armor", "--sign")
    (words,) = await site.told(header() + openpgp(signed.replace(b"PGP MESSAGE", b"PGP SIGNATURE")))
    assert words.startswith("Not checked")


@needs_gpg
async def test_checking_reads_the_keyring_and_writes_nowhere(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    user = f"Ines Reader <{INES}>"
    await asyncio.to_thread(site.make_key, user)
    await asyncio.to_thread(site.know, f"={user}")
    before = {path: path.stat().st_mtime_ns for path in (site.folder / "site").rglob("*")}
    signature = await asyncio.to_thread(site.sign, user)
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")  # where python-gnupg would lay down a signature
    (words,) = await site.told(header() + openpgp(signature))
    assert words.startswith("Good OpenPGP")
    assert {path: path.stat().st_mtime_ns for path in (site.folder / "site").rglob("*")} == before
