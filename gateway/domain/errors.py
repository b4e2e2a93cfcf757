"""The errors of the gateway, one tree.

    GatewayError
    ├── Refused            permanent: the peer must change something (SMTP 5yz, HTTP 4xx)
    │   ├── Malformed            the input breaks its own format
    │   │   └── Moved                what it is about has changed since it was looked at
    │   ├── NotAuthenticated     no proof, or a wrong one
    │   ├── NotAllowed           who they are is known; this is not theirs to do
    │   ├── UnknownRecipient     nobody here by that address
    │   ├── TooLarge             over a limit that more patience will not move
    │   ├── TaxpayerData         screening found what plain mail may not carry
    │   └── Unscreenable         screening could not look inside
    ├── Unavailable        temporary: the same request may work later (SMTP 4yz, HTTP 503)
    │   ├── StoreUnavailable, StoreFull, ScreeningUnavailable, KeyholderUnavailable,
    │   └── AuthenticatorUnavailable, Overloaded, RateExceeded
    ├── Tampered           stored data is not what we wrote: nothing is given, an alarm is raised
    └── ConfigError        the configuration or the environment is wrong; says file and key

`advice` is one ASCII line a peer may read: what happened and what to do. It never carries content of a message.
"""

from __future__ import annotations


class GatewayError(Exception):
    """Root of every error this gateway raises on purpose; `advice` is fit for a peer's eyes."""

    def __init__(self, advice: str) -> None:
        super().__init__(advice)
        self.advice = advice


class Refused(GatewayError):
    """Permanent: the request will not be accepted as it stands."""


class Malformed(Refused):
    """The input breaks its own format."""


class Moved(Malformed):
    """What is asked for was right when it was looked at, and somebody has changed it since: look again."""


class NotAuthenticated(Refused):
    """No proof of identity, or a wrong one."""


class NotAllowed(Refused):
    """The peer is known and may not do this. Absent and forbidden look the same."""


class UnknownRecipient(Refused):
    """No case and no correspondent has this address."""


class TooLarge(Refused):
    """Over a limit that waiting does not move."""


class TaxpayerData(Refused):
    """Screening found taxpayer data in plain mail."""


class Unscreenable(Refused):
    """Screening could not look into the mail."""


class Unavailable(GatewayError):
    """Temporary: the same request may succeed later."""


class StoreUnavailable(Unavailable):
    """The database or the blob store did not answer."""


class StoreFull(StoreUnavailable):
    """The disk is full or nearly so; reading still works."""


class ScreeningUnavailable(Unavailable):
    """The screening pool is down."""


class KeyholderUnavailable(Unavailable):
    """The keyholder did not answer."""


class AuthenticatorUnavailable(Unavailable):
    """The authenticator did not answer."""


class Overloaded(Unavailable):
    """Too much at once; come back later."""


class RateExceeded(Unavailable):
    """One session or person asks too fast."""


class Tampered(GatewayError):
    """Stored data fails its signature, seal or order."""


class ConfigError(GatewayError):
    """The configuration or the environment is wrong."""
