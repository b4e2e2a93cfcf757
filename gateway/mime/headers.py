"""The fields of a header, read: unfolding, encoded words, parameters, addresses, message ids, dates."""

from __future__ import annotations

from gateway.domain.summary import Mailbox
from gateway.mime.addresses import addresses, message_ids
from gateway.mime.dates import format_date, parse_date
from gateway.mime.parameters import Parameterised, parse_content_type, parse_disposition
from gateway.mime.words import decode_words, unfold

__all__ = [
    "Mailbox",
    "Parameterised",
    "addresses",
    "decode_words",
    "format_date",
    "message_ids",
    "parse_content_type",
    "parse_date",
    "parse_disposition",
    "unfold",
]
