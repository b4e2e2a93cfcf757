"""Second factors beside a password: codes of an app, recovery codes, passkeys. Each proof is good once.

The question that a passkey answers is sealed, and carried by the page until the answer comes: five minutes, once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway import maillog
from gateway.authenticator.accounts import SignIn
from gateway.authenticator.keys import AuthenticatorKeys
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import Malformed, NotAuthenticated, Tampered
from gateway.frames import decode, encode
from gateway.identity import first_codes, passkeys, totp
from gateway.identity.passkeys import Passkey, Place
from gateway.store.people import Person
from gateway.store.sealing import open_box, seal_box

QUESTION_US: Final = 5 * 60 * 1_000_000
RECOVERY_CODES: Final = 10
_MAX_SPENT = 50_000
_CONTEXT = "passkey question"


@dataclass(frozen=True, slots=True)
class Offered:
    """What somebody has typed or their device has said beside the password."""

    code: str = ""
    passkey: str = ""
    question: bytes = b""
    sent: bytes = b""


@dataclass(frozen=True, slots=True)
class Match:
    """The credential that a proof belongs to, and what spends it: a step, a count, the number of a recovery code."""

    credential_id: str
    kind: CredentialKind
    value: int


class SecondFactors:
    """Makes second factors and finds whose proof something is."""

    def __init__(self, keys: AuthenticatorKeys, place: Place) -> None:
        self._keys = keys
        self._place = place
        self._spent: OrderedDict[bytes, int] = OrderedDict()

    def matching(self, account: SignIn, offered: Offered, now_us: int) -> Match | None:
        """Return what an offered proof proves, or None."""
        if offered.passkey:
            return self._matching_passkey(account, offered, now_us)
        return self._matching_code(account, offered.code, now_us) or self._matching_recovery(account, offered.code)

    def ask(self, now_us: int) -> Mapping[str, Any]:
        """Return the question for a sign-in: what the browser is asked, and what it carries back."""
        challenge, question = self._new_question("", now_us)
        return {"options": passkeys.question(self._place, challenge), "question": encode(question)}

    def invite(self, person: Person, present: list[str], now_us: int) -> Mapping[str, Any]:
        """Return the question by which a person adds a passkey; `present` are the data of those they have."""
        challenge, question = self._new_question(person.id, now_us)
        known = [Passkey.from_data(data) for data in present]
        options = passkeys.invitation(self._place, challenge, person.id, person.name, known)
        return {"options": options, "question": encode(question)}

    def new_passkey(self, person_id: str, response: str, question: bytes, now_us: int) -> str:
        """Return the data of a passkey that a person has made. Raises NotAuthenticated."""
        challenge = self._opened(person_id, question, now_us)
        found = passkeys.made(self._place, challenge, response) if challenge else None
        if found is None:
            raise NotAuthenticated("The passkey could not be confirmed. Please try again.")
        return found.to_data()

    def new_seed(self, person_id: str) -> tuple[str, str]:
        """Return a fresh seed of codes, in clear and sealed."""
        seed = totp.new_seed()
        return seed, encode(seal_box(self._keys.seed_box, seed.encode("ascii"), f"totp {person_id}"))

    def shows(self, person_id: str, sealed: str, code: str, now_us: int) -> bool:
        """Tell whether an app that was given this seed shows this code now."""
        return totp.matching_step(self._seed(person_id, sealed), code, now_us // 1_000_000) is not None

    def new_recovery_codes(self, person_id: str) -> tuple[list[str], str]:
        """Return fresh recovery codes, in clear, and their data."""
        codes = [first_codes.new_first_code() for _ in range(RECOVERY_CODES)]
        return codes, " ".join(self._recovery_hash(person_id, code) for code in codes)

    def _matching_code(self, account: SignIn, code: str, now_us: int) -> Match | None:
        for credential_id, data in account.of(CredentialKind.TOTP):
            step = totp.matching_step(self._seed(account.person_id, data), code, now_us // 1_000_000)
            if step is not None:
                return Match(credential_id, CredentialKind.TOTP, step)
        return None

    def _matching_recovery(self, account: SignIn, code: str) -> Match | None:
        offered = self._recovery_hash(account.person_id, code).encode()
        for credential_id, data in account.of(CredentialKind.RECOVERY):
            for number, kept in enumerate(data.split()):
                if hmac.compare_digest(kept.encode(), offered):
                    return Match(credential_id, CredentialKind.RECOVERY, number)
        return None

    def _matching_passkey(self, account: SignIn, offered: Offered, now_us: int) -> Match | None:
        present = account.of(CredentialKind.PASSKEY)
        challenge = self._opened("", offered.question, now_us)
        known = [Passkey.from_data(data) for _, data in present]
        found = passkeys.answered(self._place, challenge, offered.passkey, known) if challenge else None
        return Match(present[found[0]][0], CredentialKind.PASSKEY, found[1]) if found else None

    def _new_question(self, person_id: str, now_us: int) -> tuple[bytes, bytes]:
        challenge = os.urandom(32)
        stated = json.dumps({"challenge": encode(challenge), "person": person_id, "at": now_us})
        return challenge, seal_box(self._keys.attempt_box, stated.encode(), _CONTEXT)

    def _opened(self, person_id: str, question: bytes, now_us: int) -> bytes:
        """Return the challenge of a question and spend it; nothing for an old, spent, forged or another's one."""
        try:
            stated = json.loads(open_box(self._keys.attempt_box, question, _CONTEXT))
            challenge, at = decode(stated["challenge"]), int(stated["at"])
        except (Tampered, Malformed, ValueError, KeyError, TypeError):
            return b""
        if stated.get("person") != person_id or not at <= now_us < at + QUESTION_US or challenge in self._spent:
            return b""
        self._spent[challenge] = now_us
        while len(self._spent) > _MAX_SPENT or now_us - next(iter(self._spent.values())) > QUESTION_US:
            self._spent.popitem(last=False)
        return challenge

    def _seed(self, person_id: str, data: str) -> str:
        try:
            return open_box(self._keys.seed_box, decode(data), f"totp {person_id}").decode("ascii")
        except (Malformed, Tampered):
            maillog.alarm("seed", "credential", person_id)
            raise NotAuthenticated("This cannot be checked. Please ask for help.") from None

    def _recovery_hash(self, person_id: str, code: str) -> str:
        plain = "".join(code.replace("-", " ").split()).upper()
        octets = f"{person_id}\x00{plain}".encode("utf-8", "surrogatepass")
        return hmac.new(self._keys.recovery, octets, hashlib.sha256).hexdigest()
