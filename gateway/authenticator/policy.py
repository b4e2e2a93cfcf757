"""What a site asks of sign-ins, as values: how long they last, how guesses are slowed, who may not sign in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.authenticator.accounts import MAX_FAILURES, SignIn
from gateway.authenticator.throttle import FREE_BY_ACCOUNT, SECOND_US, Throttle
from gateway.config import SecuritySettings
from gateway.domain.programme import Programme
from gateway.domain.sunset import Sunsets
from gateway.identity.sessions import SessionLimits

HOUR_US = 3600 * SECOND_US


@dataclass(frozen=True, slots=True)
class Policy:
    """Figures of `[security]`. Times are microseconds; `inactive_us` 0: nobody is away for too long."""

    limits: SessionLimits = field(default_factory=SessionLimits)
    failures: int = MAX_FAILURES
    free_failures: int = FREE_BY_ACCOUNT
    first_wait_us: int = SECOND_US
    count_us: int = HOUR_US
    inactive_us: int = 0
    app_passwords: bool = True
    sunsets: Sunsets = field(default_factory=Sunsets)

    def throttle(self) -> Throttle:
        """Return what slows guesses down."""
        return Throttle(free=self.free_failures, first_us=self.first_wait_us, forget_us=self.count_us)

    def is_away(self, last_us: int, now_us: int) -> bool:
        """Tell whether somebody who was here last then has been away for too long."""
        return self.inactive_us != 0 and now_us >= last_us + self.inactive_us

    def bars(self, account: SignIn, now_us: int) -> bool:
        """Tell whether a password, though right, signs nobody in: too many failures, away for too long, or over.

        After a sunset only who was given longer signs in by a password.
        """
        is_over = account.extended_us <= now_us and self.is_over(account.side, account.programme, now_us)
        return account.failures >= self.failures or self.is_away(account.last_us, now_us) or is_over

    def is_over(self, side: str, programme: str, now_us: int) -> bool:
        """Tell whether people of this side and programme sign in by passwords no more."""
        ends_us = self.sunsets.ends_us(side, programme)
        return ends_us is not None and ends_us <= now_us


def policy_of(settings: SecuritySettings, programmes: Iterable[Programme]) -> Policy:
    """Return the policy that a site has configured."""
    return Policy(
        limits=SessionLimits(settings.session_idle_seconds * SECOND_US, settings.session_absolute_seconds * SECOND_US),
        failures=settings.failures,
        free_failures=settings.free_failures,
        first_wait_us=settings.first_wait_seconds * SECOND_US,
        count_us=settings.count_seconds * SECOND_US,
        inactive_us=settings.inactive_seconds * SECOND_US,
        app_passwords=settings.app_passwords,
        sunsets=Sunsets(settings.sunsets, {one.key: one.zone for one in programmes}),
    )
