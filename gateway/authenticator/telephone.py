"""One-time codes by text message or telephone call, for those who have nothing better.

A code is sent to the number that the site knows, never to one that is typed, after the password was right; who asks
learns nothing from the answer. It is six digits, good for ten minutes, once, for five tries. Restricted by NIST SP
800-63B-4 section 3.1.3.3: a number can be taken over, so the page offers passkeys in its place.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import secrets
from collections import OrderedDict
from typing import Final

from gateway import maillog
from gateway.authenticator.accounts import SignIn
from gateway.authenticator.code_sender import CodeSender
from gateway.authenticator.keys import AuthenticatorKeys
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import Malformed, Tampered
from gateway.frames import decode, encode
from gateway.store.sealing import open_box, seal_box

CODE_US: Final = 10 * 60 * 1_000_000
MAX_TRIES: Final = 5
MAX_SENT_AN_HOUR: Final = 5
APART_US: Final = 30 * 1_000_000
HOUR_US: Final = 3600 * 1_000_000
CHANNELS: Final = ("text", "call")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_MAX_KEPT = 20_000
_CONTEXT = "code sent"


class TelephoneCodes:
    """Sends codes and judges them. Without a sender there are none."""

    def __init__(self, keys: AuthenticatorKeys, sender: CodeSender | None) -> None:
        self._keys = keys
        self._sender = sender
        self._tries: OrderedDict[str, int] = OrderedDict()
        self._sent: OrderedDict[str, list[int]] = OrderedDict()
        self._sending: set[asyncio.Task[None]] = set()

    def new_number(self, person_id: str, number: str, channel: str) -> tuple[str, str]:
        """Return the data and the label of a credential: the number sealed, and its last two digits.

        Raises Malformed for what is no number with its country's code, or when nothing here sends codes.
        """
        plain = re.sub(r"[\s().-]", "", number)
        if self._sender is None:
            raise Malformed("Nothing sends codes here: see the table [authenticator.codes] of the configuration.")
        if not _NUMBER.match(plain) or channel not in CHANNELS:
            raise Malformed("A number is written with its country's code: +12025550142.")
        stated = json.dumps({"number": plain, "channel": channel})
        sealed = seal_box(self._keys.seed_box, stated.encode(), f"telephone {person_id}")
        return encode(sealed), f"{'calls' if channel == 'call' else 'texts'} to …{plain[-2:]}"

    def begin(self, account: SignIn, *, right: bool, now_us: int) -> bytes:
        """Send a code when the password was right and there is a number; return what the page carries, either way."""
        factors = account.of(CredentialKind.TELEPHONE)
        code, word = f"{secrets.randbelow(1_000_000):06}", secrets.token_hex(16)
        person_id, credential_id = (account.person_id, factors[-1][0]) if right and factors else ("0" * 32, "0" * 32)
        stated = {"id": word, "person": person_id, "credential": credential_id, "at": now_us}
        stated["hash"] = self._hash(word, code)
        if right and factors and self._may_send(account.person_id, now_us):
            self._send(account.person_id, factors[-1][1], code)
        return seal_box(self._keys.attempt_box, json.dumps(stated).encode(), _CONTEXT)

    def matching(self, account: SignIn, sent: bytes, code: str, now_us: int) -> tuple[str, int] | None:
        """Return the credential and the instant (seconds) of the code that was sent and is typed here, or None."""
        try:
            stated = json.loads(open_box(self._keys.attempt_box, sent, _CONTEXT))
        except (Tampered, ValueError):
            return None
        word, at = str(stated["id"]), int(stated["at"])
        tried = self._tries[word] = self._tries.get(word, 0) + 1
        while len(self._tries) > _MAX_KEPT:
            self._tries.popitem(last=False)
        same = hmac.compare_digest(str(stated["hash"]).encode(), self._hash(word, code).encode())
        known = {credential_id for credential_id, _ in account.of(CredentialKind.TELEPHONE)}
        if not same or tried > MAX_TRIES or stated["person"] != account.person_id or stated["credential"] not in known:
            return None
        return (str(stated["credential"]), at // 1_000_000) if at <= now_us < at + CODE_US else None

    async def close(self) -> None:
        """End what is being sent."""
        for task in list(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _send(self, person_id: str, data: str, code: str) -> None:
        assert self._sender is not None
        try:
            stated = json.loads(open_box(self._keys.seed_box, decode(data), f"telephone {person_id}"))
        except (Tampered, Malformed, ValueError):
            maillog.alarm("telephone", "credential", person_id)
            return
        task = asyncio.create_task(self._sender.send(stated["number"], stated["channel"], code))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _may_send(self, person_id: str, now_us: int) -> bool:
        """Tell whether this person may be sent one more now, and note it."""
        recent = [at for at in self._sent.get(person_id, []) if now_us < at + HOUR_US]
        if self._sender is None or len(recent) >= MAX_SENT_AN_HOUR or (recent and now_us < recent[-1] + APART_US):
            return False
        self._sent[person_id] = [*recent, now_us]
        while len(self._sent) > _MAX_KEPT:
            self._sent.popitem(last=False)
        return True

    def _hash(self, word: str, code: str) -> str:
        octets = f"{word}\x00{''.join(code.split())}".encode("utf-8", "surrogatepass")
        return hmac.new(self._keys.recovery, b"code sent\x00" + octets, hashlib.sha256).hexdigest()
