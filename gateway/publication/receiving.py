"""Whether other sites find the public door, and by verified TLS: MX, MTA-STS, TLS reports, DANE."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.domain.dns_record import DnsRecord
from gateway.domain.mta_sts import PATH, PolicyMode, policy_host, policy_text
from gateway.domain.mta_sts import policy_id as own_policy_id
from gateway.outbound import dane
from gateway.outbound.mta_sts import Mode, NoPolicy, Policy, fetch, parse, policy_id
from gateway.outbound.names import Names
from gateway.outbound.tls_report import places_of
from gateway.publication.lookup import Lookup
from gateway.publication.report import Report, Standing
from gateway.publication.site import Site
from gateway.store.tls_outcomes import ResultType

SMTP: Final = 25
_REASONS: Final = {
    ResultType.STS_POLICY_FETCH_ERROR: "cannot be fetched as text/plain",
    ResultType.STS_POLICY_INVALID: "is no policy",
    ResultType.STS_WEBPKI_INVALID: "is behind a certificate that is not good for this name",
}


async def mx(site: Site, hosts: Sequence[str] | None, lookup: Lookup, report: Report) -> None:
    """MX records (RFC 5321 section 5.1): hosts that have addresses, by their own names. None where DNS did not say."""
    wanted = DnsRecord(site.domain, "MX", f"10 {site.door}.")
    if site.is_first_hop:
        there = Standing.THERE if hosts and site.door in hosts else Standing.DIFFERENT if hosts else Standing.MISSING
        report.wants(wanted, Standing.UNKNOWN if hosts is None else there)
    if hosts is None:
        return
    if "." in hosts:
        report.problem("MX", f"{site.domain} says that it takes no mail", "Take the null MX record out (RFC 7505).")
        return
    if not hosts:
        report.problem("MX", f"{site.domain} has no MX record", "Publish one for the host that takes its mail.")
        return
    faults = [f"{host} {fault}" for host in hosts if (fault := await _fault(host, lookup))]
    if faults:
        report.problem("MX", "; ".join(faults), "Senders do not reach such a host.")
    else:
        report.ok("MX", ", ".join(hosts))


async def mta_sts(site: Site, hosts: Sequence[str], lookup: Lookup, report: Report) -> None:
    """MTA-STS (RFC 8461): the record, and the policy as others fetch it, by which each MX host may take mail."""
    place = policy_host(site.domain)
    text = site.policy or policy_text(PolicyMode.ENFORCE, hosts or [site.door])
    record = DnsRecord.text(f"_mta-sts.{site.domain}", f"v=STSv1; id={own_policy_id(text)}")
    host = DnsRecord(place, "CNAME", f"{site.portal}.")
    report.policy_url, report.policy = f"https://{place}{PATH}", text
    report.wants(record)
    report.wants(host)
    texts = await lookup.texts(record.name)
    addresses = [*await lookup.addresses(place, 4), *await lookup.addresses(place, 6)]
    report.wants(host, Standing.THERE if addresses else Standing.MISSING)
    report.wants(record, Standing.THERE if policy_id(texts) else Standing.DIFFERENT if texts else Standing.MISSING)
    if not any(text.startswith(b"v=STSv1") for text in texts):
        report.off("MTA-STS", f"{site.domain} has no policy", "Whoever is on the way can switch TLS off. See below.")
    elif policy_id(texts) is None:
        report.problem("MTA-STS", f"{record.name} has no one record with an id", "Publish the one below.")
    elif not addresses:
        report.problem("MTA-STS", f"{place} has no address", "Publish one, and serve the policy below there.")
    else:
        await _policy(site, place, str(addresses[0]), hosts, report)


async def tls_reports(site: Site, lookup: Lookup, report: Report) -> None:
    """TLS reports (RFC 8460): where other sites tell how TLS with this one went."""
    wanted = DnsRecord.text(f"_smtp._tls.{site.domain}", f"v=TLSRPTv1; rua=mailto:postmaster@{site.domain}")
    report.wants(wanted)
    texts = [text for text in await lookup.texts(wanted.name) if text.startswith(b"v=TLSRPTv1")]
    places = places_of(texts)
    report.wants(wanted, Standing.THERE if places else Standing.DIFFERENT if texts else Standing.MISSING)
    if not texts:
        report.off("TLS reports", f"{site.domain} asks for none", "Nobody tells when TLS with you fails. See below.")
    elif not places:
        report.problem("TLS reports", f"{wanted.name} has no one record with an address", "Publish the one below.")
    else:
        report.ok("TLS reports", f"to {', '.join(places)}")


async def tlsa(site: Site, hosts: Sequence[str], names: Names, report: Report, now: datetime) -> None:
    """DANE (RFC 7672): TLSA records of the MX hosts, where there are some, fit the certificate that is shown."""
    chain = _chain(site)
    for host in hosts:
        if host == ".":
            continue
        found = await names.associations(host, SMTP)
        name = f"DANE {host}"
        own = DnsRecord(f"_{SMTP}._tcp.{host}", "TLSA", f"3 1 1 {_digest(chain[0])}") if chain else None
        if not found.records:
            report.off(name, "no TLSA record", "With DNSSEC in the zone it makes TLS certain for senders that look.")
        elif not found.is_proven:
            advice = "Sign the zone, and ask a name server that validates: --nameserver ADDRESS"
            report.warning(name, "TLSA records that this name server does not vouch for (DNSSEC)", advice)
        if own is not None and host == site.door:
            fits = dane.is_named(chain, found.records, (host, site.domain), now)
            report.wants(own, Standing.THERE if fits else Standing.DIFFERENT if found.records else Standing.MISSING)
            if found.records and not fits:
                words = "TLSA records do not fit the certificate of [mx]"
                report.problem(name, words, "Senders that look do not deliver. Publish the one below.")
            elif found.is_proven:
                report.ok(name, "TLSA records fit the certificate of [mx]")
        elif found.is_proven:
            report.warning(name, "TLSA records, and the host is not this door", "Look at it by yourself.")


async def _fault(host: str, lookup: Lookup) -> str:
    if await lookup.is_other_name(host):
        return "is another name (CNAME)"
    addresses = [*await lookup.addresses(host, 4), *await lookup.addresses(host, 6)]
    if not addresses:
        return "has no address"
    return "" if any(ip_address(one).is_global for one in addresses) else "has no public address"


async def _policy(site: Site, place: str, address: str, hosts: Sequence[str], report: Report) -> None:
    try:
        tls = ssl.create_default_context(cafile=site.ca_file)
        found = parse(await fetch(place, address, site.policy_port, tls))
    except NoPolicy as problem:
        words = f"{report.policy_url} {_REASONS.get(problem.result, 'cannot be had')}"
        report.problem("MTA-STS", words, "Serve the policy below there.")
        return
    _judge(found, hosts, report)


def _judge(found: Policy, hosts: Sequence[str], report: Report) -> None:
    left_out = [host for host in hosts if not found.covers(host)]
    if found.mode is Mode.NONE:
        report.off("MTA-STS", "the policy says none", "Write mode: enforce.")
    elif left_out:
        words = f"the policy leaves out {', '.join(left_out)}"
        report.problem("MTA-STS", words, "Senders that look do not deliver there. Name it, and give a new id.")
    elif found.mode is Mode.TESTING:
        report.warning("MTA-STS", "the policy says testing: nobody keeps to it", "Write mode: enforce, and a new id.")
    else:
        report.ok("MTA-STS", f"enforced for {', '.join(found.hosts)}, {found.max_age.days} days")


def _chain(site: Site) -> list[bytes]:
    if site.certificate is None:
        return []
    try:
        found = x509.load_pem_x509_certificates(site.certificate.read_bytes())
    except (OSError, ValueError):
        return []
    return [one.public_bytes(Encoding.DER) for one in found]


def _digest(certificate: bytes) -> str:
    key = x509.load_der_x509_certificate(certificate).public_key()
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
