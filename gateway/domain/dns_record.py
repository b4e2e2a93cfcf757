"""DNS records as lines of a zone file (RFC 1035 section 5), for an operator to publish."""

from __future__ import annotations

from dataclasses import dataclass

TTL = 3600
MAX_STRING = 255


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record: `name` without a dot at its end, `value` as a zone file has it."""

    name: str
    kind: str
    value: str

    @classmethod
    def text(cls, name: str, text: str) -> DnsRecord:
        """Make a TXT record of ASCII text, cut into strings of at most 255 octets (RFC 1035 section 3.3.14)."""
        pieces = [text[start : start + MAX_STRING] for start in range(0, len(text), MAX_STRING)] or [""]
        quoted = ('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in pieces)
        return cls(name, "TXT", " ".join(quoted))

    @property
    def line(self) -> str:
        """The whole line of a zone file, with the name in full."""
        return f"{self.name}. {TTL} IN {self.kind} {self.value}"
