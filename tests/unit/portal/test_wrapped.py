from __future__ import annotations

from base64 import encodebytes
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.partmap import Part
from gateway.mime.ber import NotBer
from gateway.portal.content import PartOctets
from gateway.portal.wrapped import WrappedOctets, take_apart
from tests.signing import DATA, SIGNED_DATA, der, indefinite, integer, oid, signed_data


@dataclass(frozen=True)
class Plain:
    """Octets in the clear, given out in small pieces."""

    octets: bytes
    piece: int = 7

    @property
    def length(self) -> int:
        return len(self.octets)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        wanted = self.octets[start:stop]
        for at in range(0, len(wanted), self.piece):
            yield wanted[at : at + self.piece]


def in_a_part(content: bytes, *, piece: int = 7, encoding: str = "base64") -> PartOctets:
    """A part with this content somewhere in a message."""
    encoded = encodebytes(content) if encoding == "base64" else content
    part = Part("1", "application/pkcs7-mime", encoding=encoding, header_offset=3, offset=5, length=len(encoded))
    return PartOctets(part, Plain(b"head:" + encoded + b"tail", piece))


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(["base64", "binary"]))
def test_octets_in_places_are_read_as_if_they_stood_together(data: st.DataObject, encoding: str) -> None:
    content = data.draw(st.binary(max_size=80))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=10)))
    places = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if a < b]
    whole = b"".join(content[start:end] for start, end in places)
    piece = data.draw(st.integers(1, 30))
    wrapped = WrappedOctets(in_a_part(content, piece=piece, encoding=encoding), places)
    assert wrapped.length == len(whole)
    start, stop = data.draw(st.integers(0, 90)), data.draw(st.integers(0, 90))
    assert b"".join(wrapped.read(start, stop)) == whole[start:stop]


MAIL = b"Content-Type: text/plain\r\n\r\nhello\r\n"


@pytest.mark.parametrize(
    "content",
    [
        der(0x04, MAIL),
        indefinite(0x24, *(der(0x04, MAIL[at : at + 3]) for at in range(0, len(MAIL), 3))),
        der(0x24, der(0x04), der(0x24, der(0x04, MAIL[:9])), der(0x04, MAIL[9:])),
    ],
    ids=["whole", "in pieces", "in pieces of pieces"],
)
def test_a_signed_part_is_taken_apart_to_the_mail_in_it(content: bytes) -> None:
    wrapping = take_apart(in_a_part(signed_data([], [], content)))
    assert wrapping is not None
    assert b"".join(wrapping.octets.read(0, wrapping.octets.length)) == MAIL
    text = wrapping.part_map.root
    assert b"".join(PartOctets(text, wrapping.octets).decoded()) == b"hello\r\n"


def test_a_signed_part_without_a_content_wraps_nothing() -> None:
    assert take_apart(in_a_part(signed_data([], []))) is None


@pytest.mark.parametrize(
    "octets", [b"", b"hello", signed_data([], [], der(0x04)), signed_data([], [], der(0x0C, MAIL))]
)
def test_what_cannot_be_taken_apart_is_told(octets: bytes) -> None:
    with pytest.raises(NotBer):
        take_apart(in_a_part(octets))


def test_an_endless_length_is_no_content() -> None:
    inner = der(0x30, integer(1), der(0x31), der(0x30, oid(DATA), b"\xa0\x80\x24\x80\x04\x01x"), der(0x31))
    with pytest.raises(NotBer):
        take_apart(in_a_part(der(0x30, oid(SIGNED_DATA), der(0xA0, inner))))
