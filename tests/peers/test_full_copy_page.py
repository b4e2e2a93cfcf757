"""An employee gives the key that full copies go to, with their own gpg; the mail with the code is opened by it."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from gateway.domain.address import Address
from gateway.domain.errors import UnknownRecipient
from gateway.domain.parcel import is_ciphertext
from gateway.mime.openpgp_signing import OpenPgpKey
from gateway.parcels.making import Signer
from gateway.parcels.site import KeyChecker
from gateway.portal.full_copy import PATH, KeyDesk
from gateway.store import tables
from gateway.store.recipient_keys import recipient_key_of
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import Rules, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
if shutil.which("gpg") is None:
    pytest.skip("needs gpg: make peers", allow_module_level=True)

INES = "ines@agency.example"
OWN = OpenPgpKey(Ed25519PrivateKey.generate(), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "House <house@agency.example>")


@dataclass
class Scene:
    """The house, Ines's browser, her gpg, and what the directory of her domain has."""

    story: Story
    ines: Browser
    home: Path
    directory: dict[str, bytes]

    def gpg(self, *arguments: str, octets: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
        done = subprocess.run([*command, "--passphrase", "", *arguments], input=octets, capture_output=True, check=True)
        return done.stdout

    def new_key(self, user: str = f"Ines Adler <{INES}>") -> bytes:
        self.gpg("--yes", "--quick-gen-key", user, "ed25519", "cert,sign", "2y")
        listed = self.gpg("--with-colons", "-k", f"={user}").decode().splitlines()
        fingerprint = [line.split(":")[9] for line in listed if line.startswith("fpr")][-1]
        self.gpg("--quick-add-key", fingerprint, "cv25519", "encr", "1y")
        return self.gpg("--armor", "--export", fingerprint)

    async def give(self, key: bytes, *, as_file: bool = True) -> str:
        page = await self.ines.see(PATH)
        fields = {"form_token": hidden(page.text)["form_token"], "text": "" if as_file else key.decode()}
        files = {"file": ("key.asc", key if as_file else b"", "application/pgp-keys")}
        answer = await self.ines.http.post(f"{PATH}/key", data=fields, files=files, follow_redirects=True)
        return answer.text

    async def post(self, form: str, **fields: str) -> str:
        page = await self.ines.see(PATH)
        data = {"form_token": hidden(page.text)["form_token"], **fields}
        return (await self.ines.http.post(f"{PATH}/{form}", data=data, follow_redirects=True)).text

    async def code(self) -> str:
        """The code, out of the ciphertext that the notifier sends."""
        table = tables.recipient_key
        rows = await self.story.house.database.read(
            lambda c: c.execute(select(table).order_by(table.c.created_us.desc(), table.c.id.desc())).all()
        )
        proof = bytes(rows[0].proof)
        assert is_ciphertext(proof)
        sealed = proof[proof.index(b"-----BEGIN") :]
        clear = self.gpg("--decrypt", octets=sealed).split(b"\r\n\r\n")
        words = self.words_of(clear[2])
        assert "/account/full-copy" in words
        return re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", words)[0]

    @staticmethod
    def words_of(octets: bytes) -> str:
        return base64.b64decode(octets.partition(b"--=_")[0]).decode()

    async def in_use(self) -> str:
        house = self.story.house
        found = await house.database.read(recipient_key_of, house.authority, self.story.ines.id, house.clock())
        return found.fingerprint if found else ""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    home = Path(os.path.realpath(tmp_path_factory.mktemp("ines")))
    home.chmod(0o700)
    directory: dict[str, bytes] = {}

    async def look_up(address: Address) -> bytes:
        if str(address) not in directory:
            raise UnknownRecipient("The directory of your address's domain has no key for it.")
        return directory[str(address)]

    desk = KeyDesk(KeyChecker(), Signer(OWN), look_up)
    try:
        async with open_house(rules=Rules(key_desk=desk)) as house:
            story = await tell(house)
            async with Browser(house) as browser:
                await browser.sign_in(story.ines)
                yield Scene(story, browser, home, directory)
    finally:
        await asyncio.to_thread(subprocess.run, ["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


async def test_a_key_is_given_proven_by_its_code_replaced_and_removed(scene: Scene) -> None:
    assert "No key of yours is in use" in (await scene.ines.see(PATH)).text
    sent = await scene.give(scene.new_key())
    assert "A mail with a code is on its way" in sent
    assert "Waits for its code" in sent
    assert await scene.in_use() == ""
    assert "This is not the code" in await scene.post("code", code="AAAA-BBBB-CCCC-DDDD")
    assert "The key is in use" in await scene.post("code", code=await scene.code())
    first = await scene.in_use()
    page = (await scene.ines.see(PATH)).text
    assert " ".join(first[at : at + 4] for at in range(0, 40, 4)) in page
    scene.directory[INES] = scene.new_key(f"Ines of the directory <{INES}>")
    assert "A mail with a code is on its way" in await scene.post("look-up")
    assert await scene.in_use() == first
    assert "The key is in use" in await scene.post("code", code=(await scene.code()).lower())
    assert await scene.in_use() not in ("", first)
    assert "The key is removed" in await scene.post("remove")
    assert await scene.in_use() == ""
    rows = await scene.story.house.database.read(lambda c: c.execute(select(tables.outbox)).all())
    told = [json.loads(row.fields).get("state") for row in rows if row.kind == "account_changed"]
    assert sorted(told) == sorted(["copy_key_proof", "copy_key_added"] * 2 + ["copy_key_removed"])


async def test_a_key_that_names_somebody_else_is_refused_in_words(scene: Scene) -> None:
    said = await scene.give(scene.new_key("Bo <bo@agency.example>"), as_file=False)
    assert "No user id of this key has your address" in said
    assert "No public key can be read in this" in await scene.give(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAA\n")
    assert "Certificates (S/MIME) are not taken here" in await scene.give(b"hello")
    assert "Choose a file, or paste" in await scene.give(b"", as_file=False)
    secret = scene.gpg("--armor", "--export-secret-keys", "bo@agency.example")
    assert "This is a secret key" in await scene.give(secret)


async def test_a_key_is_only_added_after_a_fresh_sign_in(scene: Scene) -> None:
    scene.story.house.clock.advance(20 * 60)
    try:
        await scene.ines.see(PATH)
        said = await scene.give(scene.new_key(f"Later <{INES}>"))
        assert "A mail with a code" not in said
        assert 'action="/sign-in"' in said
    finally:
        scene.story.house.clock.advance(-20 * 60)


async def test_nobody_else_has_this_page(scene: Scene) -> None:
    async with Browser(scene.story.house) as browser:
        await browser.sign_in(scene.story.berg)
        assert (await browser.see(PATH)).status_code == 404
    assert (await scene.ines.http.post(f"{PATH}/remove", data={"form_token": "x"})).status_code == 403
