"""Errors to SMTP replies: the one complete table, and the replies that the listener gives by itself.

The enhanced status codes are those of RFC 3463, RFC 4954, RFC 5248 and RFC 6531. A reply tells the peer what to do,
never what broke inside.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.domain import errors
from gateway.domain.errors import GatewayError, Malformed
from gateway.domain.reply import MAX_LINE, SmtpReply

TABLE: Final[dict[type[GatewayError], tuple[int, str]]] = {
    errors.GatewayError: (451, "4.3.0"),
    errors.Refused: (550, "5.7.1"),
    errors.Malformed: (550, "5.6.0"),
    errors.Moved: (550, "5.6.0"),
    errors.NotAuthenticated: (535, "5.7.8"),
    errors.NotAllowed: (550, "5.7.1"),
    errors.UnknownRecipient: (550, "5.1.1"),
    errors.TooLarge: (552, "5.3.4"),
    errors.TaxpayerData: (550, "5.7.1"),
    errors.Unscreenable: (550, "5.7.1"),
    errors.Unavailable: (451, "4.3.0"),
    errors.StoreUnavailable: (451, "4.3.0"),
    errors.StoreFull: (452, "4.3.1"),
    errors.ScreeningUnavailable: (451, "4.3.0"),
    errors.KeyholderUnavailable: (451, "4.3.0"),
    errors.AuthenticatorUnavailable: (451, "4.3.0"),
    errors.Overloaded: (451, "4.3.2"),
    errors.RateExceeded: (451, "4.7.1"),
    errors.Tampered: (451, "4.3.0"),
    errors.ConfigError: (451, "4.3.5"),
}


class Precise(Malformed):
    """Refused with a reply of its own, in place of the table's."""

    def __init__(self, reply: SmtpReply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class BadCommand(Precise):
    """A command that breaks its syntax; `reply` says precisely how."""


class BadMessage(Precise):
    """A message of a kind that is never taken; `reply` says what to send in its place."""


def reply_for(error: GatewayError, *, malformed: tuple[int, str] | None = None) -> SmtpReply:
    """Return the reply to an error: its code from the table, its advice as one printable ASCII line of ≤ 400 octets.

    `malformed` replaces the codes of Malformed where it is not the message that is malformed but, say, an address.
    A class that the table does not name is answered as its nearest ancestor. What is wrong with our own
    configuration or data is not the peer's to read: those get a fixed text.
    """
    if isinstance(error, Precise):
        return error.reply
    kind = next(kind for kind in type(error).__mro__ if kind in TABLE)
    code, enhanced = malformed if malformed and kind is Malformed else TABLE[kind]
    text = _OUR_FAULT if isinstance(error, errors.Tampered | errors.ConfigError) else error.advice
    return SmtpReply(code, enhanced, one_line(text, MAX_LINE - len(f"{code} {enhanced} ")))


def incident(number: str) -> SmtpReply:
    """Return the reply to an exception nobody foresaw; `number` finds it in the log."""
    return SmtpReply(451, "4.3.0", one_line(f"something went wrong here, try again later; incident {number}", 300))


def one_line(text: str, octets: int) -> str:
    """Return text as one printable ASCII line of at most so many octets; what does not fit ends with "..."."""
    plain = _NOT_PRINTABLE.sub("?", " ".join(text.split()))
    return plain if len(plain) <= octets else plain[: octets - 3].rstrip() + "..."


_NOT_PRINTABLE = re.compile(r"[^ -~]")
_OUR_FAULT = "this server has a fault that its operators are told of; try again later"

# Greetings, states and endings.
CLOSING = SmtpReply(421, "4.3.2", "this server is stopping; try again in a minute")
TOO_MANY_CONNECTIONS = SmtpReply(421, "4.7.0", "too many connections; try again later")
TOO_MANY_FROM_YOU = SmtpReply(421, "4.7.0", "too many connections from your address; close some and try again")
NOT_FOR_YOU = SmtpReply(421, "4.7.0", "this socket is not for your user; closing")
NOT_FROM_THERE = SmtpReply(421, "4.7.0", "this port is for the site's own mail system, your address is not; closing")
NO_CERTIFICATE = SmtpReply(421, "4.7.0", "show the client certificate that this relay is known by; closing")
UNKNOWN_CERTIFICATE = SmtpReply(421, "4.7.0", "your client certificate has no key or name that is listed; closing")
TOO_SLOW = SmtpReply(421, "4.4.2", "nothing came in time; closing")
TOO_MANY_ERRORS = SmtpReply(421, "4.7.0", "too many errors; closing")
TOO_MANY_GUESSES = SmtpReply(421, "4.7.0", "too many failed sign-ins; closing")
BYE = SmtpReply(221, "2.0.0", "bye")
OK = SmtpReply(250, "2.0.0", "ok")
SENDER_OK = SmtpReply(250, "2.1.0", "sender ok")
RECIPIENT_OK = SmtpReply(250, "2.1.5", "recipient ok")
GO_AHEAD = SmtpReply(354, "", "send the message, end with <CRLF>.<CRLF>")
TLS_READY = SmtpReply(220, "2.0.0", "ready to start TLS")
SIGNED_IN = SmtpReply(235, "2.7.0", "signed in")
CANNOT_VERIFY = SmtpReply(252, "2.0.0", "addresses are not verified here; send and see")
HELP = SmtpReply(214, "2.0.0", "EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT; see RFC 5321")

# The peer speaks out of turn.
HELO_FIRST = SmtpReply(503, "5.5.1", "say EHLO first, or LHLO where LMTP is spoken")
MAIL_FIRST = SmtpReply(503, "5.5.1", "say MAIL first")
LMTP_RCPT_FIRST = SmtpReply(503, "5.5.1", "no valid recipients")
RCPT_FIRST = SmtpReply(554, "5.5.1", "no valid recipients")
NESTED_MAIL = SmtpReply(503, "5.5.1", "a message is under way; say RSET to drop it")
CHUNKS_BEGUN = SmtpReply(503, "5.5.1", "this message came by BDAT; end it with BDAT LAST")
CHUNK_DISCARDED = SmtpReply(503, "5.5.1", "chunk discarded: no message is under way")
TLS_FIRST = SmtpReply(530, "5.7.0", "say STARTTLS first")
AUTH_FIRST = SmtpReply(530, "5.7.0", "sign in first: with an app password, or another way that EHLO lists")
TLS_ALREADY = SmtpReply(503, "5.5.1", "TLS is on already")
NO_TLS = SmtpReply(454, "4.7.0", "TLS is not available here")
SIGNED_IN_ALREADY = SmtpReply(503, "5.5.1", "signed in already")
NO_AUTH = SmtpReply(503, "5.5.1", "sign-in is not offered here")

NOT_FROM_YOU = SmtpReply(550, "5.7.0", "this command is for listed peers only")

# The peer's words are wrong.
UNKNOWN_COMMAND = SmtpReply(500, "5.5.1", "command not recognised")
NOT_OFFERED = SmtpReply(502, "5.5.1", "command not offered here")
NOT_A_COMMAND = SmtpReply(500, "5.5.2", "a command is one line of printable characters")
BARE_NEWLINE = SmtpReply(500, "5.5.2", "a command ends with CR LF, not with LF alone; closing")
NOT_SMTP = SmtpReply(554, "5.5.1", "this port speaks SMTP only; closing")
LINE_TOO_LONG = SmtpReply(500, "5.5.2", "line too long")
AUTH_LINE_TOO_LONG = SmtpReply(500, "5.5.6", "line too long")
NO_ARGUMENT = SmtpReply(501, "5.5.4", "this command takes no argument")
BAD_ATTRIBUTES = SmtpReply(501, "5.5.4", "say NAME=value once for each attribute that is offered, values in xtext")
NEEDS_EHLO = SmtpReply(555, "5.5.4", "parameters need EHLO in place of HELO")
NEEDS_NAME = SmtpReply(501, "5.5.4", "say EHLO with the name of your host")
NEEDS_ADDRESS = SmtpReply(501, "5.5.4", "say VRFY with an address")
BAD_CHUNK = SmtpReply(501, "5.5.4", "say BDAT with a size in octets, then LAST or nothing; closing")
BAD_MECHANISM = SmtpReply(504, "5.5.4", "this way to sign in is not offered; EHLO lists those that are")
PASSWORDS_OFF = SmtpReply(504, "5.5.4", "app passwords are off here; sign in by a mechanism that EHLO lists")
NO_PERSON_CERTIFICATE = SmtpReply(535, "5.7.8", "show your client certificate as TLS begins, then say AUTH")
NEEDS_MECHANISM = SmtpReply(501, "5.5.4", "say AUTH with a mechanism that EHLO lists")
BAD_AUTH = SmtpReply(501, "5.5.2", "not a sign-in of this mechanism")
OTHER_IDENTITY = SmtpReply(535, "5.7.8", "signing in as one and acting as another is not offered")

# The message.
ENDED = SmtpReply(250, "2.6.0", "automatic mail ends here: entered, and not kept")
WITHDRAWAL_ANSWERED = SmtpReply(250, "2.6.0", "your answer is no message: what became of it comes by mail")
MESSAGE_TOO_LARGE = SmtpReply(552, "5.3.4", "the message is larger than this server takes")
TOO_MUCH_AT_ONCE = SmtpReply(452, "4.3.1", "too much mail is under way here; try again in a few minutes")
TOO_MANY_RECIPIENTS = SmtpReply(452, "4.5.3", "too many recipients; send the message again to the others")
ONE_AT_A_TIME = SmtpReply(452, "4.5.3", "this recipient takes reports only; send the message again to the others")
ENCRYPTED = SmtpReply(
    550, "5.6.1", "the message is encrypted for someone: send it without Encrypt, the gateway seals it itself"
)
TOO_MANY_HOPS = SmtpReply(554, "5.4.6", "the message has passed more than 50 servers: it goes round, and ends here")
OWN_NOTIFICATION = SmtpReply(
    554, "5.4.6", "this is a notification of this gateway coming back: answer it, or forward it as an attachment"
)
NO_ORGANISATION = SmtpReply(
    550, "5.7.1", "say once each, in X-OriginatorOrg and X-MS-Exchange-CrossTenant-Id, which organisation sends this"
)
ORGANISATION_TWICE = SmtpReply(550, "5.7.7", "the header says more than once which organisation sends this")
OTHER_ORGANISATION = SmtpReply(550, "5.7.1", "this is sent by another organisation than those this port is for")
NOT_SIGNED_IN_THERE = SmtpReply(550, "5.7.1", "the organisation does not say that the sender signed in there")
NO_SECRET = SmtpReply(550, "5.7.1", "the header lacks the proof that the organisation's own rule sets")
NOT_SIGNED = SmtpReply(550, "5.7.20", "no DKIM signature is good: turn signing on for the sender's domain")
NOT_SIGNED_BY_SENDER = SmtpReply(550, "5.7.22", "no good DKIM signature is of the sender's domain: sign with that one")
KEY_AWAY = SmtpReply(451, "4.4.3", "a key of a DKIM signature cannot be looked up now; try again later")
FORWARDED = SmtpReply(
    550, "5.7.1", "this was forwarded, not written to here: write a message of your own to the case's address"
)
PROBED = SmtpReply(250, "2.6.0", "the probe has come: how is entered, and nothing of it kept")
NAME_REQUIRED = SmtpReply(
    550, "5.7.1", "this says a team wrote it, and not who: send it on behalf of the team, so that Sender is you"
)
BAD_OCTETS = SmtpReply(550, "5.6.0", "the message has a NUL octet, or a CR or LF that is not part of CRLF")


def too_large(limit: int) -> SmtpReply:
    """Return the reply to SIZE= over the limit, in octets (RFC 1870 section 6.1)."""
    return SmtpReply(552, "5.3.4", f"the message is larger than this server takes: {limit} octets")
