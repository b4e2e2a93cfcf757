"""What a mail's own proofs came to: SPF, DKIM, ARC and DMARC, as values and as the line of RFC 8601.

It says which domain has vouched for a mail, never who wrote it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Result(StrEnum):
    """The words of RFC 8601 section 2.7. POLICY: good by itself, and not counted, as it covers too little."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - the word of RFC 8601
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Method(StrEnum):
    """What was looked at."""

    SPF = "spf"
    DKIM = "dkim"
    ARC = "arc"
    DMARC = "dmarc"


@dataclass(frozen=True, slots=True)
class Proof:
    """One result. `properties` are pairs such as `("header.d", "tours.example")`."""

    method: Method
    result: Result
    properties: tuple[tuple[str, str], ...] = ()

    def of(self, name: str) -> str:
        """Return a property's value, empty where there is none."""
        return dict(self.properties).get(name, "")

    def __str__(self) -> str:
        return " ".join(
            (f"{self.method}={self.result}", *(f"{name}={_quoted(text)}" for name, text in self.properties))
        )


@dataclass(frozen=True, slots=True)
class Authentication:
    """The results for one mail. `author` is the domain of its From, `mailbox` the address; `is_aligned`: SPF or DKIM
    vouch for that domain; `is_signed`: DKIM does.

    `host` is the name of the server that looked (the authserv-id), empty where none did.
    """

    host: str = ""
    author: str = ""
    is_aligned: bool = False
    proofs: tuple[Proof, ...] = ()
    mailbox: str = ""
    is_signed: bool = False

    def of(self, method: Method) -> Result:
        """Return the best result of a method; NONE where nobody looked."""
        found = [proof.result for proof in self.proofs if proof.method is method]
        return next((one for one in _BEST_FIRST if one in found), Result.NONE)

    @property
    def outcome(self) -> Result:
        """What it comes to in one word: PASS (the author's domain vouches), FAIL (it says that it does not), NONE."""
        if self.of(Method.DMARC) is Result.FAIL:
            return Result.FAIL
        return Result.PASS if self.is_aligned else Result.NONE

    def __str__(self) -> str:
        """The content of an Authentication-Results field (RFC 8601 section 2.2), on one line of ASCII."""
        if not self.host:
            return ""
        return "; ".join((self.host, *(map(str, self.proofs) if self.proofs else ("none",))))


_BEST_FIRST: Final = (
    Result.PASS,
    Result.POLICY,
    Result.SOFTFAIL,
    Result.NEUTRAL,
    Result.FAIL,
    Result.TEMPERROR,
    Result.PERMERROR,
    Result.NONE,
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~@-]{1,254}\Z")
_UNFIT: Final = re.compile(r"[^ !#-\[\]-~]")


def _quoted(text: str) -> str:
    return text if _TOKEN.match(text) else f'"{_UNFIT.sub("?", text[:254])}"'
