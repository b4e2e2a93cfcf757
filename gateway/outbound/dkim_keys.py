"""The folder of keys that sign mail, and how far each has come: made, published, signing, retired.

Each key is a file `SELECTOR.pem`, and `SELECTOR.json` beside it says since when it is what. A rotation is a new
selector: its record is seen in DNS before it signs, and the one before stays in DNS while mail that it signed is under
way. A change is one file renamed over another, so a kill leaves a key as it was or as it was to be.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway import maillog
from gateway.domain.dns_record import DnsRecord
from gateway.domain.errors import ConfigError, NotAllowed, UnknownRecipient
from gateway.failpoints import failpoint
from gateway.outbound.dkim import Signer, signer_of
from gateway.store.keyfiles import read_private, write_private

RSA_BITS: Final = 2048
LOOK_SECONDS: Final = 5.0
SELECTOR: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


class KeyState(StrEnum):
    """How far a key has come; it only goes on."""

    MADE = "made"
    PUBLISHED = "published"
    SIGNING = "signing"
    RETIRED = "retired"


class Algorithm(StrEnum):
    """What a key is made for: RSA with 2048 bits, as every verifier takes it, and Ed25519 (RFC 8463)."""

    RSA = "rsa"
    ED25519 = "ed25519"


_BEFORE: Final = {
    KeyState.PUBLISHED: {KeyState.MADE, KeyState.PUBLISHED},
    KeyState.SIGNING: {KeyState.PUBLISHED, KeyState.SIGNING},
    KeyState.RETIRED: {KeyState.MADE, KeyState.PUBLISHED, KeyState.SIGNING, KeyState.RETIRED},
}
_ADVICE: Final = {
    KeyState.PUBLISHED: "A retired key does not come back: make a new one.",
    KeyState.SIGNING: "Publish its record first: gateway dkim publish",
}


@dataclass(frozen=True, slots=True)
class DkimKey:
    """One key: its signer, its state, and the instant of each step it has made."""

    signer: Signer
    state: KeyState
    since: dict[KeyState, datetime]

    @property
    def selector(self) -> str:
        """The name under which DNS has it."""
        return self.signer.selector

    @property
    def algorithm(self) -> Algorithm:
        """What it was made for."""
        return Algorithm(self.signer.algorithm.partition("-")[0])

    @property
    def record(self) -> DnsRecord:
        """What DNS has to have while mail that it signed is under way."""
        return DnsRecord.text(*self.signer.record)

    def gone_from(self, keep: timedelta) -> datetime | None:
        """Return the instant from which DNS need not have it any more, None for one that is not retired."""
        retired = self.since.get(KeyState.RETIRED)
        return None if self.state is not KeyState.RETIRED or retired is None else retired + keep


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """The keys of one signing domain. Everything raises ConfigError for a file that is not as it was written."""

    folder: Path
    domain: str

    def all(self) -> list[DkimKey]:
        """Return every key, the oldest first; none where there is no folder."""
        try:
            names = sorted(path.stem for path in self.folder.glob("*.json") if SELECTOR.match(path.stem))
        except OSError as problem:
            raise ConfigError(f"{self.folder}: cannot be read: {problem.strerror}") from None
        return sorted((self._key(name) for name in names), key=lambda one: (one.since[KeyState.MADE], one.selector))

    def key(self, selector: str) -> DkimKey:
        """Return one key. Raises UnknownRecipient."""
        if not SELECTOR.match(selector) or not self._state_file(selector).is_file():
            raise UnknownRecipient(f"There is no key {selector}. See: gateway dkim list")
        return self._key(selector)

    def make(self, selector: str, algorithm: Algorithm, now: datetime) -> DkimKey:
        """Make a key. Raises ConfigError where there is one of this name: a key is never overwritten."""
        made = generate_private_key(65537, RSA_BITS) if algorithm is Algorithm.RSA else Ed25519PrivateKey.generate()
        return self.take(selector, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), now)

    def take(self, selector: str, pem: bytes, now: datetime) -> DkimKey:
        """Keep a private key in PEM that was made elsewhere. Raises ConfigError for one that does not sign mail."""
        if not SELECTOR.match(selector):
            raise ConfigError(f"{selector!r} is no selector: lower-case letters, digits and hyphens.")
        signer = signer_of(self.domain, selector, pem, self._file(selector))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._state_file(selector).exists():  # a kill left a key that was never told of
            self._file(selector).unlink(missing_ok=True)
        write_private(self._file(selector), pem)
        failpoint("dkim.make")
        made = DkimKey(signer, KeyState.MADE, {KeyState.MADE: now})
        self._write(made)
        return made

    def mark(self, selector: str, state: KeyState, now: datetime) -> DkimKey:
        """Let a key go on to a state, or stay there. Raises UnknownRecipient, NotAllowed for a step it cannot make."""
        found = self.key(selector)
        if found.state not in _BEFORE[state]:
            raise NotAllowed(f"{selector} is {found.state}. {_ADVICE[state]}")
        if found.state is not state:
            found = DkimKey(found.signer, state, {**found.since, state: now})
            self._write(found)
        return found

    def activate(self, selector: str, now: datetime) -> list[DkimKey]:
        """Let a published key sign, in place of those of its algorithm, which retire; return these. Raises as `mark`.

        The new one signs before the others stop: killed between, both sign, and doing it again ends it.
        """
        chosen = self.mark(selector, KeyState.SIGNING, now)
        failpoint("dkim.activate")
        return [
            self.mark(other.selector, KeyState.RETIRED, now)
            for other in self.all()
            if other.state is KeyState.SIGNING and other.algorithm is chosen.algorithm and other.selector != selector
        ]

    def remove(self, selector: str) -> None:
        """Delete a key for good. Raises UnknownRecipient, NotAllowed for one that signs or may be in use in DNS."""
        found = self.key(selector)
        if found.state in (KeyState.PUBLISHED, KeyState.SIGNING):
            raise NotAllowed(f"{selector} is {found.state}. Retire it first: gateway dkim retire {selector}")
        self._state_file(selector).unlink(missing_ok=True)
        failpoint("dkim.remove")
        self._file(selector).unlink(missing_ok=True)

    def signers(self) -> tuple[Signer, ...]:
        """Return the keys that sign, RSA before Ed25519."""
        signing = [one for one in self.all() if one.state is KeyState.SIGNING]
        return tuple(one.signer for one in sorted(signing, key=lambda one: one.algorithm, reverse=True))

    def _file(self, selector: str) -> Path:
        return self.folder / f"{selector}.pem"

    def _state_file(self, selector: str) -> Path:
        return self.folder / f"{selector}.json"

    def _key(self, selector: str) -> DkimKey:
        signer = signer_of(self.domain, selector, read_private(self._file(selector)), self._file(selector))
        path = self._state_file(selector)
        try:
            told = json.loads(path.read_bytes())
            since = {KeyState(name): datetime.fromisoformat(at) for name, at in told["since"].items()}
            state = KeyState(told["state"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ConfigError(f"{path}: does not say how far the key has come. Make a new key.") from None
        if not {KeyState.MADE, state} <= since.keys() or any(at.tzinfo is None for at in since.values()):
            raise ConfigError(f"{path}: does not say since when. Make a new key.")
        return DkimKey(signer, state, since)

    def _write(self, key: DkimKey) -> None:
        told = {"state": key.state.value, "since": {name.value: at.isoformat() for name, at in key.since.items()}}
        path = self._state_file(key.selector)
        new = path.with_suffix(f".{os.getpid()}.new")
        new.unlink(missing_ok=True)
        write_private(new, json.dumps(told).encode("ascii"))
        new.rename(path)


class LiveSigners:
    """The keys that sign at this moment: a change in the folder counts within LOOK_SECONDS, without a restart.

    What cannot be read later than at the start changes nothing: the keys before go on, and the log says so.
    """

    def __init__(self, folder: KeyFolder, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the folder. Raises ConfigError."""
        self._folder = folder
        self._clock = clock
        self._mark = self._look()
        self._signers = folder.signers()
        self._next = clock() + LOOK_SECONDS

    def __iter__(self) -> Iterator[Signer]:
        if self._clock() >= self._next:
            self._next = self._clock() + LOOK_SECONDS
            self._renew()
        return iter(self._signers)

    def _renew(self) -> None:
        mark = self._look()
        if mark == self._mark:
            return
        self._mark = mark
        try:
            self._signers = self._folder.signers()
        except ConfigError:
            maillog.dkim_keys_kept(len(self._signers))
        else:
            maillog.dkim_keys_read(len(self._signers))

    def _look(self) -> int:
        try:
            return self._folder.folder.stat().st_mtime_ns
        except OSError:
            return 0


def what_differs(texts: Iterable[bytes], key: DkimKey) -> str:
    """Return in words why the TXT records of a key's name do not let others check what it signs; empty when they do."""
    found = list(texts)
    if len(found) != 1:
        return f"has {len(found)} TXT records in place of one" if found else "has no TXT record"
    tags = _tags(found[0])
    ours = _tags(key.signer.record[1].encode("ascii"))
    if tags.get(b"v", b"DKIM1") != b"DKIM1":
        return "is no DKIM record"
    if not tags.get(b"p"):
        return "is revoked (empty p=)"
    if (tags.get(b"k", b"rsa"), tags[b"p"]) != (ours[b"k"], ours[b"p"]):
        return "is another key"
    if not {b"*", b"email"} & set(tags.get(b"s", b"*").split(b":")):
        return "is not for mail (s=)"
    if b"sha256" not in tags.get(b"h", b"sha256").split(b":"):
        return "does not let sha256 be used (h=)"
    return "is in test mode (t=y)" if b"y" in tags.get(b"t", b"").split(b":") else ""


def _tags(text: bytes) -> dict[bytes, bytes]:
    """Read a tag list (RFC 6376 section 3.2), values without white space."""
    pairs = (one.partition(b"=") for one in text.split(b";"))
    return {name.strip(): re.sub(rb"\s+", b"", value) for name, _, value in pairs if name.strip()}
