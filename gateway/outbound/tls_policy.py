"""What TLS a mail host must come to before it gets a notification: by DANE, MTA-STS, the site's rules, or what the
domain has had before; else whatever there is, which a notification without content bears.

DANE is above all (RFC 8461 section 2): an answer of DNS that is proven is kept to, one that cannot be had is no answer
that there is none. A domain that once had verified TLS gets nothing by less, until an operator says so.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from pathlib import Path

from gateway.domain.errors import ConfigError
from gateway.outbound import dane, mta_sts
from gateway.outbound.names import Association
from gateway.store.tls_outcomes import PolicyType, ResultType


class Rule(StrEnum):
    """What the site says of a domain."""

    VERIFIED = "verified"
    DANE = "dane"
    PLAIN = "plain"


class Level(Enum):
    """What a conversation must come to."""

    REFUSED = auto()
    """This host gets nothing."""
    DANE = auto()
    VERIFIED = auto()
    """A certificate of a known authority for the host's name."""
    ENCRYPTED = auto()
    OPPORTUNISTIC = auto()
    """As good as can be had, down to none at all."""
    PLAIN = auto()


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a domain: the site's rule, its policy (RFC 8461), whether it once had verified TLS."""

    rule: Rule | None = None
    policy: mta_sts.Policy | None = None
    had_verified: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """What one host must come to, by which policy. `result` is what falls short already, whatever it comes to."""

    level: Level
    policy: PolicyType
    associations: tuple[Association, ...] = ()
    result: ResultType = ResultType.SUCCESS


def demand_on(host: str, standing: Standing, associations: Sequence[Association] | None) -> Demand:
    """Return what a host of a domain must come to.

    `associations` are its proven TLSA records: none where it is proven that there are none or DNSSEC does not reach it,
    and None where no answer could be had.
    """
    if standing.rule is Rule.PLAIN:
        return Demand(Level.PLAIN, PolicyType.NONE)
    if associations is None:
        return Demand(Level.REFUSED, PolicyType.TLSA, result=ResultType.DNSSEC_INVALID)
    if good := dane.usable(associations):
        return Demand(Level.DANE, PolicyType.TLSA, good)
    if standing.rule is Rule.DANE:
        return Demand(Level.REFUSED, PolicyType.TLSA, result=ResultType.DANE_REQUIRED)
    return _without_dane(host, standing, named=bool(associations))


def _without_dane(host: str, standing: Standing, *, named: bool) -> Demand:
    sts = standing.policy
    policy, result = PolicyType.NONE, ResultType.SUCCESS
    if sts is not None and sts.mode is not mta_sts.Mode.NONE:
        policy = PolicyType.STS
        result = ResultType.SUCCESS if sts.covers(host) else ResultType.VALIDATION_FAILURE
        if sts.mode is mta_sts.Mode.ENFORCE:
            return Demand(Level.REFUSED if result else Level.VERIFIED, policy, result=result)
    if standing.rule is Rule.VERIFIED or standing.had_verified:
        return Demand(Level.VERIFIED, policy, result=result)
    return Demand(Level.ENCRYPTED if named else Level.OPPORTUNISTIC, policy, result=result)


class TlsContexts:
    """The two ways of a handshake: one that checks the certificate, one that leaves that to DANE or to nobody."""

    def __init__(self, ca_file: Path | None) -> None:
        """`ca_file` replaces the system's authorities. Raises ConfigError where it is none."""
        self.verified = verifying_context(ca_file)
        self.unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.unverified.check_hostname = False
        self.unverified.verify_mode = ssl.CERT_NONE
        self.unverified.minimum_version = ssl.TLSVersion.TLSv1_2


def verifying_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that checks a host's certificate and name. Raises ConfigError for a file that is none."""
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError):
        raise ConfigError(f"{ca_file}: is no file of certificates in PEM form") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
