"""Whose message it is that comes by a host which serves many organisations: proven by the message itself.

Does: reads the tenant's headers as soon as the header is in, and looks up the keys of signatures meanwhile; at the end
    says whether the sender's own domain has signed the whole.
Trusts: that the service sets these headers anew on all it sends; DNS for keys. The host is proven by its listener.
Holds: the header, two running hashes of the body, and the secrets of the site's own rule where it has one.
Fails: a proof missing, doubled, or somebody else's → `550 5.7.x`, which says what; DNS away → `451`.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dns import asyncresolver

from gateway.config import OrganisationSettings
from gateway.domain.authentication import Proof, Result
from gateway.domain.clock import Clock
from gateway.domain.errors import ConfigError
from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.dns import Questions
from gateway.inbound.senders import AT_ONCE, SECONDS, key_record, organisation, resolver_of
from gateway.mime.addresses import addresses
from gateway.mime.canonical import Field
from gateway.mime.dkim import Answer
from gateway.mime.streamed_dkim import StreamedMail

DOMAIN: Final = "x-originatororg"
TENANT: Final = "x-ms-exchange-crosstenant-id"
SIGNED_IN: Final = "x-ms-exchange-crosstenant-authas"
PROOF: Final = "x-gateway-relay-proof"
"""The field that the site's own rule sets."""

LEAST_SECRET: Final = 32


@dataclass(frozen=True, slots=True)
class OrganisationCheck:
    """What one relay's messages have to prove. `secrets`: one of them stands in for a signature; none: none does."""

    tenants: frozenset[str]
    domains: frozenset[str]
    secrets: tuple[bytes, ...] = field(repr=False)
    resolver: asyncresolver.Resolver
    clock: Clock
    waiting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @classmethod
    def of(cls, own: OrganisationSettings, clock: Clock) -> OrganisationCheck:
        """Make the check that the settings ask for. Raises ConfigError where the secret's file will not do."""
        secrets = () if own.secret_file is None else _secrets(own.secret_file)
        return cls(own.tenants, own.originator_orgs, secrets, resolver_of(own.nameservers), clock)

    def why_not(self, fields: Sequence[Field]) -> SmtpReply | None:
        """Return the reply to a header by which a message is not the site's; None where it may be."""
        told = {name: _values(fields, name) for name in (DOMAIN, TENANT, SIGNED_IN)}
        if any(len(values) > 1 for values in told.values()):
            return replies.ORGANISATION_TWICE
        if not told[DOMAIN] or not told[TENANT]:
            return replies.NO_ORGANISATION
        if told[DOMAIN][0] not in self.domains or told[TENANT][0] not in self.tenants:
            return replies.OTHER_ORGANISATION
        if told[SIGNED_IN] != ["internal"]:
            return replies.NOT_SIGNED_IN_THERE
        return self._why_no_secret(fields) if self.secrets else None

    def _why_no_secret(self, fields: Sequence[Field]) -> SmtpReply | None:
        shown = [one.value.strip() for one in fields if one.name == PROOF]
        if len(shown) > 1:
            return replies.ORGANISATION_TWICE
        is_known = [hmac.compare_digest(secret, one) for secret in self.secrets for one in shown]
        return None if any(is_known) else replies.NO_SECRET


class OrganisationWatch:
    """One message on its way. `feed` may be called in a thread, the rest from the loop alone."""

    def __init__(self, check: OrganisationCheck) -> None:
        self._check = check
        self._mail = StreamedMail()
        self._questions: Questions | None = None
        self._keys: asyncio.Task[dict[str, Answer]] | None = None
        self._is_begun = False

    def feed(self, block: bytes) -> None:
        """Take octets."""
        self._mail.feed(block)

    def look(self) -> None:
        """Judge the header, once it is in, and begin to look keys up. Raises BadMessage for what is not the site's."""
        fields = self._mail.fields
        if fields is None or self._is_begun:
            return
        self._is_begun = True
        if (refusal := self._check.why_not(fields)) is not None:
            raise replies.BadMessage(refusal)
        if not self._check.secrets:
            self._questions = Questions(self._check.resolver, self._check.waiting)
            self._keys = asyncio.create_task(_ask(self._questions, sorted(self._mail.key_names)))

    async def require(self, senders: Iterable[str]) -> None:
        """Return if the whole is proven: signed by the domain of From and of each of `senders`, addresses.

        Raises BadMessage for what is not.
        """
        self._mail.finish()
        self.look()
        if self._keys is None:
            return
        try:
            keys = await self._keys
        finally:
            self.close()
        proofs = self._mail.proofs(keys, int(self._check.clock().timestamp()))
        named = [box.address for one in self._mail.fields or () if one.name == "from" for box in addresses(one.value)]
        if (refusal := _why_unsigned(proofs, [*named, *senders])) is not None:
            raise replies.BadMessage(refusal)

    def close(self) -> None:
        """Ask no more."""
        if self._questions is not None:
            self._questions.close()
        if self._keys is not None:
            self._keys.cancel()


def _why_unsigned(proofs: Sequence[Proof], senders: Sequence[str]) -> SmtpReply | None:
    passing = {proof.of("header.d") for proof in proofs if proof.result is Result.PASS}
    wanted = {address.rpartition("@")[2].lower().rstrip(".") for address in senders}
    if passing and all(any(_is_aligned(one, domain) for one in passing) for domain in wanted):
        return None
    if any(proof.result is Result.TEMPERROR for proof in proofs):
        return replies.KEY_AWAY
    return replies.NOT_SIGNED_BY_SENDER if passing else replies.NOT_SIGNED


def _is_aligned(signer: str, domain: str) -> bool:
    """Tell whether a signature by one domain is as good as the other's own (RFC 7489 section 3.1.1, relaxed)."""
    return bool(signer and domain) and organisation(signer) == organisation(domain)


def _values(fields: Sequence[Field], name: str) -> list[str]:
    return [one.value.strip().decode("latin-1").lower() for one in fields if one.name == name]


async def _ask(questions: Questions, names: Sequence[str]) -> dict[str, Answer]:
    try:
        async with asyncio.timeout(SECONDS):
            found = await asyncio.gather(*(key_record(questions, name) for name in names))
    except TimeoutError:
        return dict.fromkeys(names, Result.TEMPERROR)
    return dict(zip(names, found, strict=True))


def _secrets(path: Path) -> tuple[bytes, ...]:
    try:
        lines = tuple(filter(None, map(bytes.strip, path.read_bytes().splitlines())))
    except OSError as problem:
        raise ConfigError(f"The file {path} cannot be read. It has the secret that the site's rule sets.") from problem
    if not lines or any(len(line) < LEAST_SECRET for line in lines):
        raise ConfigError(f"The file {path} needs a secret of {LEAST_SECRET} characters or more, one a line.")
    return lines
