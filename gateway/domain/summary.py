"""The summary of a message: what a list shows and what reading begins with. It rests only sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.domain.errors import Tampered
from gateway.domain.fax import Fax
from gateway.domain.jsontext import json_writer
from gateway.domain.partmap import PartMap

_VERSION = 1
_write = json_writer(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name (may be empty) and an address, as they stood in a header, decoded."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """How mail from outside came: envelope sender ("" for the null sender) and recipients, HELO name, peer's address.

    `authentication` is the text of RFC 8601 that tells what was found out of its sender, "" where nobody looked.
    """

    sender: str
    recipients: tuple[str, ...]
    helo: str
    address: str
    authentication: str = ""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The private half of a key pair of a message's own: what is found out of it later is sealed to the public one.

    Raises ValueError where either is of another type.
    """

    suite: int
    private: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if type(self.suite) is not int or not isinstance(self.private, bytes):
            raise ValueError("a key is a suite and octets")


@dataclass(frozen=True, slots=True)
class Summary:
    """Subject, addressees, date and part map of one message, and the salt and digest behind its record entry.

    `bcc` holds who was served without standing in the header. `notes` are kinds of oddities a reader is told of.
    `arrival` is of mail from outside alone, `fax` and `own_key` of what a fax source brought.
    `salt` and `digest` (hex) are what the entry's commitment binds: SHA-256(salt || SHA-256 of the octets).
    """

    subject: str
    author: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    date_us: int | None
    message_id: str
    part_map: PartMap
    notes: tuple[str, ...]
    salt: str
    digest: str
    arrival: Arrival | None = None
    fax: Fax | None = None
    own_key: OwnKey | None = None

    def to_bytes(self, salt: str = "", digest: str = "") -> bytes:
        """Return the octets that are sealed, with this salt and digest in place of its own where given."""
        value = {
            "v": _VERSION,
            "subject": self.subject,
            "author": [self.author.name, self.author.address],
            "to": [[box.name, box.address] for box in self.to],
            "cc": [[box.name, box.address] for box in self.cc],
            "bcc": [[box.name, box.address] for box in self.bcc],
            "date_us": self.date_us,
            "message_id": self.message_id,
            "part_map": self.part_map.to_json(),
            "notes": list(self.notes),
            "salt": salt or self.salt,
            "digest": digest or self.digest,
        }
        if self.arrival is not None:
            value["arrival"] = asdict(self.arrival)
        if self.fax is not None:
            value["fax"] = self.fax.to_value()
        if self.own_key is not None:
            value["own_key"] = [self.own_key.suite, self.own_key.private.hex()]
        return _write(value).encode("ascii")

    @classmethod
    def from_bytes(cls, octets: bytes) -> Summary:
        """Read what `to_bytes` made. Raises Tampered when it is not that."""
        try:
            value = json.loads(octets)
            return cls(
                subject=value["subject"],
                author=Mailbox(*value["author"]),
                to=tuple(Mailbox(*box) for box in value["to"]),
                cc=tuple(Mailbox(*box) for box in value["cc"]),
                bcc=tuple(Mailbox(*box) for box in value["bcc"]),
                date_us=value["date_us"],
                message_id=value["message_id"],
                part_map=PartMap.from_json(value["part_map"]),
                notes=tuple(value["notes"]),
                salt=value["salt"],
                digest=value["digest"],
                arrival=_arrival(value.get("arrival")),
                fax=Fax.from_value(value["fax"]) if "fax" in value else None,
                own_key=_own_key(value.get("own_key")),
            )
        except (ValueError, KeyError, TypeError):
            raise Tampered("A sealed summary cannot be read.") from None


def _arrival(value: Mapping[str, Any] | None) -> Arrival | None:
    return None if value is None else Arrival(**{**value, "recipients": tuple(value["recipients"])})


def _own_key(value: Any) -> OwnKey | None:
    """Read a key; messages that came before there were any have none."""
    if value is None:
        return None
    suite, private = value
    return OwnKey(suite, bytes.fromhex(private))
