"""Whether receivers can believe the mail that the site sends: SPF, DKIM, DMARC, reverse DNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import Final

from dns import reversename

from gateway.domain.authentication import Result
from gateway.domain.dns_record import DnsRecord
from gateway.inbound.senders import organisation
from gateway.inbound.spf import Sending, check
from gateway.outbound.dkim_keys import Algorithm, DkimKey, KeyState, what_differs
from gateway.publication.lookup import Lookup
from gateway.publication.report import Report, Standing
from gateway.publication.site import Address, Site

POLICIES: Final = ("none", "quarantine", "reject")
_ANYBODY: Final = IPv4Address("198.51.100.200")
"""An address for documentation: nobody's."""
_UNKNOWN_ADDRESSES: Final = "Say from which address mail leaves: gateway doctor dns --address ADDRESS"


async def spf(site: Site, addresses: Sequence[Address], lookup: Lookup, report: Report) -> None:
    """SPF (RFC 7208) of the return paths' domain: one record, by which every sending address passes."""
    mechanisms = " ".join(f"ip{one.version}:{one}" for one in addresses)
    wanted = DnsRecord.text(site.domain, " ".join(filter(None, ("v=spf1", mechanisms, "-all"))))
    if addresses:
        report.wants(wanted)
    texts = [text for text in await lookup.texts(site.domain) if text.lower().split(b" ")[:1] == [b"v=spf1"]]
    if not addresses:
        report.warning("SPF", "the sending addresses are not known from here", _UNKNOWN_ADDRESSES)
        return
    if len(texts) != 1:
        report.wants(wanted, Standing.DIFFERENT if texts else Standing.MISSING)
        found = f"has {len(texts)} records, and none counts" if texts else "has no record"
        report.problem("SPF", f"{site.domain} {found}", "Publish the one below.")
        return
    failed = [one for one in addresses if await _result(site, one, lookup) is not Result.PASS]
    open_to_all = await _result(site, _ANYBODY, lookup) is Result.PASS
    if not failed and not open_to_all:
        report.wants(wanted, Standing.THERE)
        report.ok("SPF", f"{site.domain} lets {', '.join(map(str, addresses))} send")
        return
    del report.records[wanted]
    report.wants(_amended(site.domain, texts[0], failed), Standing.DIFFERENT)
    if failed:
        words = f"{site.domain} does not let {', '.join(map(str, failed))} send"
        report.problem("SPF", words, "Add these addresses to its record.")
    if open_to_all:
        report.problem("SPF", f"{site.domain} lets anybody send", "End its record with -all.")


async def dkim(site: Site, lookup: Lookup, report: Report, now: datetime) -> None:
    """DKIM (RFC 6376): each key that signs stands in DNS as it is."""
    signing = [one for one in site.keys if one.state is KeyState.SIGNING]
    if not signing:
        report.problem("DKIM", "no key signs: mail leaves unsigned", "Make one: gateway dkim new")
    elif not any(one.algorithm is Algorithm.RSA for one in signing):
        report.warning("DKIM", "no RSA key signs", "Many receivers check no other: gateway dkim new --algorithm rsa")
    for one in site.keys:
        if one.state is not KeyState.RETIRED:
            report.wants(one.record)
    for one in site.keys:
        await _key(site, one, lookup, report, now)


async def dmarc(site: Site, lookup: Lookup, report: Report) -> None:
    """DMARC (RFC 7489) of the sender's domain, or its organisation's: a policy, and that our signatures are aligned."""
    author, above = site.author, organisation(site.author)
    wanted = DnsRecord.text(f"_dmarc.{author}", f"v=DMARC1; p=reject; rua=mailto:postmaster@{site.domain}")
    report.wants(wanted)
    for domain in dict.fromkeys((author, above)):
        texts = [text for text in await lookup.texts(f"_dmarc.{domain}") if text.replace(b" ", b"")[:8] == b"v=DMARC1"]
        if texts:
            break
    else:
        report.wants(wanted, Standing.MISSING)
        words = f"neither {author} nor {above} has a policy" if above != author else f"{author} has no policy"
        report.problem("DMARC", words, "Anybody can write in its name. Publish the one below.")
        return
    tags = _tags(texts[0])
    policy = tags.get("sp", tags.get("p", "")) if domain != author else tags.get("p", "")
    if len(texts) > 1 or policy not in POLICIES:
        report.wants(wanted, Standing.DIFFERENT)
        report.problem("DMARC", f"{domain} has no one record with a policy", "Publish the one below.")
        return
    report.wants(wanted, Standing.THERE if policy != "none" else Standing.DIFFERENT)
    _judge_policy(domain, policy, tags, report)
    _judge_alignment(site, tags, report)


async def reverse(site: Site, addresses: Sequence[Address], lookup: Lookup, report: Report) -> None:
    """Reverse DNS of the sending addresses, confirmed forward, and the name in our EHLO (RFC 1912, 5321)."""
    if not addresses:
        report.warning("reverse DNS", "the sending addresses are not known from here", _UNKNOWN_ADDRESSES)
    for address in addresses:
        backward = DnsRecord(str(reversename.from_address(str(address))).rstrip("."), "PTR", f"{site.greeting}.")
        forward = DnsRecord(site.greeting, "A" if address.version == 4 else "AAAA", str(address))
        report.wants(backward)
        report.wants(forward)
        known = address in await lookup.addresses(site.greeting, address.version)
        report.wants(forward, Standing.THERE if known else Standing.MISSING)
        names = await lookup.names(address)
        confirmed = [name for name in names if address in await lookup.addresses(name, address.version)]
        exact = site.greeting in confirmed
        report.wants(backward, Standing.THERE if exact else Standing.DIFFERENT if names else Standing.MISSING)
        if not names:
            report.problem("reverse DNS", f"{address} has no name", "Many receivers refuse it. Publish the PTR below.")
        elif not confirmed:
            words = f"{address} is called {', '.join(names)}, which has not that address"
            report.problem("reverse DNS", words, "Let the name and the address lead to each other.")
        elif not exact:
            words = f"{address} is {', '.join(confirmed)}, and says EHLO {site.greeting}"
            report.warning("reverse DNS", words, "Let notifier.hostname be that name, or the PTR this one.")
        else:
            report.ok("reverse DNS", f"{address} is {site.greeting}, and that is {address}")


async def _result(site: Site, address: Address, lookup: Lookup) -> Result:
    return await check(lookup, Sending(address, site.greeting, f"postmaster@{site.domain}"))


def _amended(domain: str, text: bytes, missing: Sequence[Address]) -> DnsRecord:
    """Return a domain's SPF record with addresses more, and with an end that lets nobody else send."""
    _, *terms = text.decode("ascii", "replace").split()
    kept = [term for term in terms if term.lower() not in ("all", "+all")]
    closed = any(term.lower().endswith("all") or term.lower().startswith("redirect=") for term in kept)
    more = [f"ip{one.version}:{one}" for one in missing]
    return DnsRecord.text(domain, " ".join(("v=spf1", *more, *kept, *(() if closed else ("-all",)))))


async def _key(site: Site, key: DkimKey, lookup: Lookup, report: Report, now: datetime) -> None:
    name, texts = f"DKIM {key.selector}", await lookup.texts(key.record.name)
    fault = what_differs(texts, key)
    until = key.gone_from(timedelta(days=site.keep_days))
    if until is not None:
        _judge_retired(key, report, gone=not texts, over=now >= until, until=until)
        return
    report.wants(key.record, Standing.MISSING if not texts else Standing.DIFFERENT if fault else Standing.THERE)
    if not fault:
        report.ok(name, f"{key.state}, and DNS has it")
    elif key.state is KeyState.SIGNING:
        report.problem(name, f"signs, and {key.record.name} {fault}", "Publish the record below, or retire the key.")
    elif key.state is KeyState.PUBLISHED:
        report.warning(name, f"was published, and {key.record.name} {fault}", "Publish the record below again.")
    else:
        report.off(name, f"made; {key.record.name} {fault}", f"Publish it, then: gateway dkim publish {key.selector}")


def _judge_retired(key: DkimKey, report: Report, *, gone: bool, over: bool, until: datetime) -> None:
    name = f"DKIM {key.selector}"
    if over and gone:
        report.off(name, "retired, and out of DNS", f"Delete it: gateway dkim remove {key.selector}")
    elif over:
        report.warning(name, "retired, and still in DNS", f"Take it out: {key.record.name}")
    elif gone:
        report.warning(name, "retired, and out of DNS too early", "Mail that it signed can no longer be checked.")
    else:
        report.ok(name, f"retired; its record stays until {until.date()}")


def _judge_policy(domain: str, policy: str, tags: Mapping[str, str], report: Report) -> None:
    if policy == "none":
        words = f"{domain} asks receivers to do nothing about mail that is not its own (p=none)"
        report.warning("DMARC", words, "When the reports show no mail of yours that fails: p=reject")
    elif tags.get("pct", "100") != "100":
        report.warning("DMARC", f"{domain} asks so for {tags['pct']} % of such mail", "Leave pct out.")
    elif "rua" not in tags:
        report.warning("DMARC", f"{domain} says {policy}, and wants no reports", "Name an address: rua=mailto:…")
    else:
        report.ok("DMARC", f"{domain} says {policy}")


def _judge_alignment(site: Site, tags: Mapping[str, str], report: Report) -> None:
    by_signature = _is_aligned(site.author, site.signing, strict=tags.get("adkim") == "s")
    by_path = _is_aligned(site.author, site.domain, strict=tags.get("aspf") == "s")
    if not by_signature:
        words = f"signatures are of {site.signing}, and mail is from {site.author}"
        report.problem("alignment", words, "Let notifier.dkim.domain be the sender's domain.")
    elif not by_path:
        words = f"return paths are at {site.domain}, and mail is from {site.author}: only signatures count"
        report.warning("alignment", words, "Send from that domain, or leave aspf=s out.")
    else:
        report.ok("alignment", f"signatures and return paths speak for {site.author}")


def _is_aligned(author: str, domain: str, *, strict: bool) -> bool:
    return author == domain or (not strict and organisation(author) == organisation(domain))


def _tags(text: bytes) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.decode("ascii", "replace").lower().split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
