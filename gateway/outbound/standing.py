"""What is known of a domain before its hosts are spoken to: the site's rule, its MTA-STS policy, its TLS of before.

The policy is asked for by DNS and fetched by HTTPS when its id has changed, at least daily, and kept in the store as
long as it says (RFC 8461 section 3.3). A policy that is kept holds until then, whatever DNS or its host say meanwhile.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.clock import Clock
from gateway.outbound import mta_sts
from gateway.outbound.hosts import HostFinder
from gateway.outbound.mta_sts import Mode, NoPolicy, Policy
from gateway.outbound.names import Names, NamesAway
from gateway.outbound.tls_policy import Rule, Standing
from gateway.store.database import Database
from gateway.store.destinations import KeptPolicy, is_verified, keep_policy, kept_policy, remember_verified
from gateway.store.tls_outcomes import PolicyType, ResultType, TlsOutcome, count_tls
from gateway.store.transaction import Transaction

REFRESH: Final = timedelta(days=1)
ASK_AGAIN: Final = timedelta(minutes=5)


class Standings:
    """Finds out, and remembers."""

    def __init__(
        self,
        database: Database,
        names: Names,
        hosts: HostFinder,
        rules: Mapping[str, Rule],
        tls: ssl.SSLContext,
        policy_port: int,
        clock: Clock,
    ) -> None:
        """`tls` checks the certificates of policy hosts, which listen at `policy_port`."""
        self._database = database
        self._names = names
        self._hosts = hosts
        self._rules = rules
        self._tls = tls
        self._policy_port = policy_port
        self._clock = clock
        self._asked_in_vain: dict[str, datetime] = {}

    async def of(self, domain: str) -> Standing:
        """Return a domain's standing. Raises StoreUnavailable."""
        rule = self._rules.get(domain)
        if rule is Rule.PLAIN:
            return Standing(rule)
        policy = await self._policy(domain)
        return Standing(rule, policy, await self._database.read(is_verified, domain))

    async def note(self, domain: str, outcome: TlsOutcome, *, is_verified: bool) -> None:
        """Count what a session's TLS came to, and remember it where it was verified. Raises StoreUnavailable."""
        await self._database.run(_note, domain, outcome, is_verified)

    async def _policy(self, domain: str) -> Policy | None:
        now = self._clock()
        kept = await self._database.read(kept_policy, domain)
        valid = kept if kept is not None and kept.expires > now else None
        try:
            policy_id = mta_sts.policy_id((await self._names.texts(f"_mta-sts.{domain}")).records)
        except NamesAway:
            policy_id = None
        if policy_id is not None and _is_news(valid, policy_id, now):
            valid = await self._fetched(domain, policy_id, now) or valid
        policy = mta_sts.parse(valid.body) if valid is not None else None
        return None if policy is None or policy.mode is Mode.NONE else policy

    async def _fetched(self, domain: str, policy_id: str, now: datetime) -> KeptPolicy | None:
        """Fetch a policy and keep it; None where that cannot be, which is not tried again at once."""
        if now < self._asked_in_vain.get(domain, now):
            return None
        try:
            body = await self._fetch(f"mta-sts.{domain}")
            policy = mta_sts.parse(body)
        except NoPolicy as problem:
            self._asked_in_vain = {name: until for name, until in self._asked_in_vain.items() if until > now}
            self._asked_in_vain[domain] = now + ASK_AGAIN
            await self.note(domain, TlsOutcome(PolicyType.STS, problem.result, ""), is_verified=False)
            return None
        await self._database.run(keep_policy, domain, policy_id, body, policy.max_age)
        return KeptPolicy(policy_id, body, now, now + policy.max_age)

    async def _fetch(self, host: str) -> str:
        try:
            addresses = await self._hosts.addresses(host)
        except NamesAway:
            addresses = ()
        problem = NoPolicy(ResultType.STS_POLICY_FETCH_ERROR)
        for address in addresses[:2]:
            try:
                return await mta_sts.fetch(host, address, self._policy_port, self._tls)
            except NoPolicy as met:
                problem = met
        raise problem


def _is_news(valid: KeptPolicy | None, policy_id: str, now: datetime) -> bool:
    return valid is None or valid.id != policy_id or now - valid.fetched >= REFRESH


def _note(tx: Transaction, domain: str, outcome: TlsOutcome, is_verified: bool) -> None:
    count_tls(tx, domain, outcome)
    if is_verified:
        remember_verified(tx, domain, outcome.policy_type)
