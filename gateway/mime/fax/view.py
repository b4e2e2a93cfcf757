"""A fax mail as its rules see it: the header's words, the text, and for each file its name and its type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.domain.fax_profile import Rule
from gateway.domain.partmap import Part, PartMap
from gateway.domain.summary import Mailbox
from gateway.mime.ber import NotBer
from gateway.mime.cms import read_signed_data
from gateway.mime.decoding import Decoder, text
from gateway.mime.fax.numbers import parse_fax_local
from gateway.mime.headers import decode_words, unfold
from gateway.mime.scanner import Scanner
from gateway.mime.signing import CMS_TYPES
from gateway.mime.structure import Structure
from gateway.mime.summary import Facts, read_facts

MAX_BODY = 64 * 1024
_TAG = re.compile(r"<(?:br|/p|/div|/tr|/li)[^<>]{0,200}>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]{1,2000}>")
_TYPE = re.compile(rb"^content-type:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FaxView:
    """One mail taken apart. `outer` is its own structure; `inner` and `octets` those of what an opaque signature wraps,
    else the same and the mail's. `recipients` are those of the envelope.
    """

    outer: Structure
    facts: Facts
    inner: PartMap
    octets: bytes = field(repr=False)
    recipients: tuple[str, ...] = ()

    @property
    def is_wrapped(self) -> bool:
        """True where the documents lie in an opaque signature."""
        return self.inner is not self.outer.part_map

    def decoded(self, part: Part) -> bytes:
        """The octets of a part, transfer encoding undone."""
        decoder = Decoder(part.encoding)
        return decoder.feed(self.octets[part.offset : part.end]) + decoder.finish()

    def body(self) -> str:
        """The text, without markup, as far as it is read."""
        best = self.inner.best_text()
        part = best.plain or best.html
        if part is None:
            return ""
        start = self.octets[part.offset : min(part.end, part.offset + MAX_BODY)]
        decoder = Decoder(part.encoding)
        words = text(part, decoder.feed(start) + decoder.finish())
        return _ANY_TAG.sub("", _TAG.sub("\n", words)) if best.plain is None else words

    def texts(self, rule: Rule) -> Sequence[str]:
        """What stands where a rule looks, in the order of the mail."""
        if rule.header:
            return [decode_words(one.value).strip() for one in self.outer.fields(rule.header)]
        if rule.place == "subject":
            return [self.facts.subject]
        if rule.place == "body":
            return [self.body()]
        if rule.place == "file":
            return [part.filename for part in self.inner.leaves if part.filename]
        if rule.place == "type":
            return list(self._types())
        who, _, what = rule.place.partition("-")
        return list(self._of(self.facts.from_ if who == "from" else (*self.facts.to, *self.facts.cc), who, what))

    def _of(self, boxes: Sequence[Mailbox], who: str, what: str) -> Iterator[str]:
        if what == "name":
            yield from (box.name for box in boxes if box.name)
            return
        addresses = [box.address for box in boxes]
        if who == "to":
            addresses += self.recipients
        for address in addresses:
            if what == "address":
                yield address
            elif (number := parse_fax_local(address.rpartition("@")[0])) is not None:
                yield number.number

    def _types(self) -> Iterator[str]:
        """The Content-Type fields with all their parameters: the mail's own, then its parts'."""
        yield from (unfold(one.value).decode("latin-1").strip() for one in self.outer.fields("content-type"))
        for part in self.inner.leaves:
            header = self.octets[part.header_offset : part.offset]
            yield from (unfold(one[1]).decode("latin-1").strip() for one in _TYPE.finditer(header))


def view_of(octets: bytes, recipients: tuple[str, ...] = ()) -> FaxView:
    """Take a mail apart. Never raises: what an opaque signature wraps and cannot be read stays one part."""
    scanner = Scanner()
    scanner.feed(octets)
    outer = scanner.finish()
    facts = read_facts(outer)
    wrapped = next((one for one in outer.part_map.own_leaves if _is_wrapping(one)), None)
    if wrapped is not None:
        inside = _unwrapped(FaxView(outer, facts, outer.part_map, octets).decoded(wrapped))
        if inside:
            scanner = Scanner()
            scanner.feed(inside)
            return FaxView(outer, facts, scanner.finish().part_map, inside, recipients)
    return FaxView(outer, facts, outer.part_map, octets, recipients)


def _is_wrapping(part: Part) -> bool:
    return part.media_type in CMS_TYPES or (part.filename or "").lower().endswith(".p7m")


def _unwrapped(octets: bytes) -> bytes:
    try:
        places = read_signed_data(octets).content
    except NotBer:
        return b""
    return b"".join(octets[start:end] for start, end in places or ())
