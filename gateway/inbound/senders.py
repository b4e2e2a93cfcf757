"""Who vouches for a mail from outside: SPF, DKIM, ARC and DMARC (RFC 7208, 6376, 8617, 7489), said by RFC 8601.

What it trusts: answers of the site's resolver; and, behind the site's own relay, the results that this relay wrote,
known by its name (`authserv_ids`). Everybody else's word in the header is not looked at. It refuses nothing: whoever
asks decides. How it fails: what DNS does not answer in time is `temperror`, and vouches for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final, TypeVar

from dns import asyncresolver
from dns.nameserver import Do53Nameserver
from dns.resolver import NoResolverConfiguration
from publicsuffixlist import PublicSuffixList

from gateway.domain.authentication import Authentication, Method, Proof, Result
from gateway.domain.clock import Clock
from gateway.inbound.dns import DnsAway, Questions
from gateway.inbound.spf import Sending, check
from gateway.mime.addresses import addresses
from gateway.mime.canonical import Field
from gateway.mime.dkim import Answer, SignedMail, arc_proof, dkim_proofs, read_signed

T = TypeVar("T")

SECONDS: Final = 8.0
THREADS: Final = 2
AT_ONCE: Final = 100
"""Questions to DNS under way, of all mails together: a slow resolver is not asked ever more."""
MOST_PROOFS: Final = 20

_DOMAIN: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+\Z")
_POLICY: Final = re.compile(rb"[ \t]*v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_PIECES: Final = re.compile(r"\"(?:[^\"\\]|\\.)*+\"?|[^\"();\\]++|\\?.", re.DOTALL)
_RESULT: Final = re.compile(r"\s*(spf|dkim|arc|dmarc)\s*(?:/\s*1\s*)?=\s*([a-z]+)(?![a-z])", re.IGNORECASE)
_PROPERTY: Final = re.compile(r"\s((?:header|smtp)\.[a-z]+)\s*=\s*((?:\"(?:[^\"\\]|\\.)*+\"|[^\s\"])++)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SenderCheck:
    """Looks at mails from outside. `host` is our own name, as results carry it.

    With `authserv_ids` the door stands behind hosts of the site by these names, and only what they wrote counts.
    `knows_origins` is false where what connects is not who sends: then SPF is not looked at.
    """

    host: str
    clock: Clock
    resolver: asyncresolver.Resolver
    authserv_ids: frozenset[str] = frozenset()
    knows_origins: bool = True
    seconds: float = SECONDS
    waiting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "senders"))

    async def look(self, mail: bytes, sending: Sending | None) -> Authentication:
        """Return what vouches for a mail, octets with CRLF line ends. Raises nothing for what is in it or in DNS."""
        signed = await self._in_a_thread(lambda: read_signed(mail))
        mailbox, author = _author(signed.fields)
        if self.authserv_ids:
            return replace(_believed(signed.fields, self.authserv_ids, author), mailbox=mailbox)
        known = sending if self.knows_origins else None
        spf, keys, policy = await self._ask(known, signed, author)
        now = int(self.clock().timestamp())
        dkim = await self._in_a_thread(lambda: dkim_proofs(signed, keys, now))
        arc = await self._in_a_thread(lambda: arc_proof(signed, keys))
        aligned = _is_vouched_for(author, policy, [*spf, *dkim])
        dmarc = _dmarc(author, policy, aligned=aligned, whole=known is not None)
        proofs = (*spf, *dkim, *([arc] if arc else []), dmarc)
        by_signature = _is_vouched_for(author, policy, dkim)
        return Authentication(self.host, author, aligned, proofs, mailbox, by_signature)

    def close(self) -> None:
        """End its threads."""
        self.threads.shutdown(cancel_futures=True)

    async def _ask(
        self, sending: Sending | None, signed: SignedMail, author: str
    ) -> tuple[list[Proof], dict[str, Answer], Policy | Result]:
        """Return the result of SPF if it is to be had, the records of keys, and the author's policy: all from DNS."""
        questions = Questions(self.resolver, self.waiting)
        try:
            async with asyncio.timeout(self.seconds):
                return await asyncio.gather(
                    _spf(questions, sending), _keys(questions, signed), _policy(questions, author)
                )
        except TimeoutError:
            keys = dict.fromkeys(signed.key_names, Result.TEMPERROR)
            return _told(sending, Result.TEMPERROR), {**keys}, Result.TEMPERROR
        finally:
            questions.close()

    async def _in_a_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a domain says by DMARC: whether only its own name, and no other below its organisation's, vouches for it."""

    strict_dkim: bool = False
    strict_spf: bool = False


def organisation(domain: str) -> str:
    """Return the organisational domain (RFC 7489 section 3.2): a registry's name and one label more."""
    return _suffixes().privatesuffix(domain) or domain


async def key_record(questions: Questions, name: str) -> Answer:
    """Return the record of a signature's key, or why there is none."""
    try:
        found = await questions.texts(name)
    except DnsAway:
        return Result.TEMPERROR
    return found[0] if len(found) == 1 else Result.PERMERROR


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _author(fields: Iterable[Field]) -> tuple[str, str]:
    """Return address and domain of the one author, in lower case; empty where there is none or several."""
    found = [one for one in fields if one.name == "from"]
    boxes = {box.address.lower() for box in addresses(found[0].value)} if len(found) == 1 else set[str]()
    local, _, domain = (boxes.pop() if len(boxes) == 1 else "").rpartition("@")
    try:
        domain = domain.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        return "", ""
    return (f"{local}@{domain}", domain) if local and _DOMAIN.match(domain) else ("", "")


async def _spf(questions: Questions, sending: Sending | None) -> list[Proof]:
    return [] if sending is None else _told(sending, await check(questions, sending))


def _told(sending: Sending | None, result: Result) -> list[Proof]:
    if sending is None:
        return []
    named = ("smtp.mailfrom", sending.sender) if sending.sender else ("smtp.helo", sending.helo)
    return [Proof(Method.SPF, result, (named,))]


async def _keys(questions: Questions, signed: SignedMail) -> dict[str, Answer]:
    names = sorted(signed.key_names)
    return dict(zip(names, await asyncio.gather(*(key_record(questions, name) for name in names)), strict=True))


async def _policy(questions: Questions, author: str) -> Policy | Result:
    """Return what the author's domain says by DMARC, or its organisation's; NONE where neither says anything."""
    if not author:
        return Result.PERMERROR
    try:
        for domain in dict.fromkeys((author, organisation(author))):
            found = [text for text in await questions.texts(f"_dmarc.{domain}") if _POLICY.match(text)]
            if len(found) == 1:
                words = {one.replace(b" ", b"").lower() for one in found[0].split(b";")}
                return Policy(strict_dkim=b"adkim=s" in words, strict_spf=b"aspf=s" in words)
    except DnsAway:
        return Result.TEMPERROR
    return Result.NONE


def _is_vouched_for(author: str, policy: Policy | Result, proofs: Iterable[Proof]) -> bool:
    """Tell whether SPF or a DKIM signature vouches for the author's domain; relaxed where its policy is unknown."""
    said = policy if isinstance(policy, Policy) else Policy()
    for proof in proofs:
        named = proof.of("header.d") or (proof.of("smtp.mailfrom") or proof.of("smtp.helo")).rpartition("@")[2]
        strict = said.strict_dkim if proof.method is Method.DKIM else said.strict_spf
        if proof.result is Result.PASS and _is_aligned(author, named, strict=strict):
            return True
    return False


def _is_aligned(author: str, domain: str, *, strict: bool) -> bool:
    domain = domain.lower().rstrip(".")
    if not author or not domain:
        return False
    return author == domain or (not strict and organisation(author) == organisation(domain))


def _dmarc(author: str, policy: Policy | Result, *, aligned: bool, whole: bool) -> Proof:
    """Return the result of DMARC; that it fails can be said only where the `whole` was looked at, SPF too."""
    told = (("header.from", author),) if author else ()
    if isinstance(policy, Result):
        return Proof(Method.DMARC, policy, told)
    failed = Result.FAIL if whole else Result.NONE
    return Proof(Method.DMARC, Result.PASS if aligned else failed, told)


def _believed(fields: Sequence[Field], ids: frozenset[str], author: str) -> Authentication:
    """Return what the site's own hosts wrote last, above the trace of the host before (RFC 8601 section 5)."""
    host, proofs = "", tuple[Proof, ...]()
    for one in fields:
        if host and one.name == "received":
            break
        if one.name == "authentication-results":
            name, *clauses = _clauses(one.value.decode("latin-1"))
            words = name.lower().split()
            if words and words[0] in ids:
                host, proofs = words[0], (*proofs, *_proofs(clauses))
    signed = _is_vouched_for(author, Policy(), [proof for proof in proofs if proof.method is Method.DKIM])
    return Authentication(host, author, _is_believed(proofs, author), proofs, is_signed=signed)


def _is_believed(proofs: Sequence[Proof], author: str) -> bool:
    good = [proof for proof in proofs if proof.result is Result.PASS]
    if any(proof.method is Method.DMARC for proof in proofs):
        domains = [proof.of("header.from") for proof in good if proof.method is Method.DMARC]
        return any(_is_aligned(author, domain, strict=True) for domain in domains)
    domains = [proof.of("header.d") for proof in good if proof.method is Method.DKIM]
    return any(_is_aligned(author, domain, strict=False) for domain in domains)


def _clauses(text: str) -> list[str]:
    """Cut a field at its semicolons, but not in quotes or comments, where words of a sender may stand."""
    clauses, depth = [""], 0
    for one in _PIECES.findall(text):
        if one in "()":
            depth = max(0, depth + (1 if one == "(" else -1))
            clauses[-1] += " "
        elif one == ";" and not depth:
            clauses.append("")
        elif not depth:
            clauses[-1] += one
    return clauses


def _proofs(clauses: Sequence[str]) -> Iterable[Proof]:
    for clause in clauses[:MOST_PROOFS]:
        found = _RESULT.match(clause)
        if found and found[2].lower() in set(Result):
            told = tuple((one[1].lower(), _unquoted(one[2])) for one in _PROPERTY.finditer(clause, found.end()))
            yield Proof(Method(found[1].lower()), Result(found[2].lower()), told)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') and len(text) > 1 else text


def resolver_of(nameservers: Sequence[tuple[str, int]]) -> asyncresolver.Resolver:
    """Return a resolver that asks these hosts and ports; without any, those of this machine, if it has some."""
    found = asyncresolver.Resolver(configure=False)
    if nameservers:
        found.nameservers = [Do53Nameserver(host, port) for host, port in nameservers]
        return found
    with contextlib.suppress(NoResolverConfiguration):
        found.read_resolv_conf("/etc/resolv.conf")
    return found
