"""Forms with files, read as they come: octets in, events out. Nothing is kept but small fields, nothing touches a disk.

The fields come before the files, as in our own pages: the first file is begun only when the form is known to be good.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from gateway.domain.errors import Malformed, TooLarge

_TOKEN = r"[0-9A-Za-z!#$%&'*+.^_`|~-]+"  # noqa: S105 - RFC 9110's word for a kind of string
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}\Z")
MAX_PARTS = 64
MAX_HEADERS = 8
MAX_HEADER_OCTETS = 2_048


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What one form may bring: files, octets of all files together, octets of all fields together."""

    files: int = 20
    octets: int = 150_000_000
    field_octets: int = 500_000

    @property
    def form_octets(self) -> int:
        """The most a whole body can be, boundaries and headers included."""
        return self.octets + self.field_octets + MAX_PARTS * MAX_HEADERS * MAX_HEADER_OCTETS


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form, whole."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FileBegins:
    """A file follows. `filename` is what the browser said; `media_type` is lower-case and well formed."""

    filename: str
    media_type: str


@dataclass(frozen=True, slots=True)
class FileOctets:
    """Some octets of the file that has begun."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class FileEnds:
    """The file is complete."""


Event = Field | FileBegins | FileOctets | FileEnds


def boundary_of(content_type: str) -> bytes:
    """Return the boundary of a multipart/form-data body. Raises Malformed for any other body."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise Malformed("The form could not be read.")
    return boundary


class FormReader:
    """Reads one multipart/form-data body (RFC 7578) by pushes. `max_field_octets` bounds all fields together."""

    def __init__(self, boundary: bytes, *, max_field_octets: int) -> None:
        """Begin. Raises Malformed for a boundary no browser makes."""
        self._room = max_field_octets
        self._events: list[Event] = []
        self._parts = 0
        self._ended = False
        self._name = ""
        self._is_file = False
        self._header = (bytearray(), bytearray())
        self._headers: dict[bytes, bytes] = {}
        self._value = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": self._part_ends,
                    "on_end": self._all_ends,
                },
                max_header_count=MAX_HEADERS,
                max_header_size=MAX_HEADER_OCTETS,
            )
        except FormParserError:
            raise Malformed("The form could not be read.") from None

    def feed(self, octets: bytes) -> list[Event]:
        """Take octets, return what they complete. Raises Malformed or TooLarge."""
        return self._run(lambda: self._parser.write(octets))

    def finish(self) -> None:
        """Say that the body is over. Raises Malformed when it was cut short."""
        if not self._ended:
            raise Malformed("The form was cut short.")

    def _run(self, step: Callable[[], object]) -> list[Event]:
        try:
            step()
        except FormParserError:
            raise Malformed("The form could not be read.") from None
        events, self._events = self._events, []
        return events

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise TooLarge("The form has too many parts.")
        self._headers = {}
        self._value = bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _header_ends(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _headers_end(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise Malformed("The form could not be read.")
        self._name = options[b"name"].decode("utf-8", "replace")
        self._is_file = b"filename" in options
        if self._is_file:
            filename = options[b"filename"].decode("utf-8", "replace")
            self._events.append(FileBegins(filename, _media_type(self._headers.get(b"content-type", b""))))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._events.append(FileOctets(data[start:end]))
            return
        self._room -= end - start
        if self._room < 0:
            raise TooLarge("The text is too long.")
        self._value += data[start:end]

    def _part_ends(self) -> None:
        if self._is_file:
            self._events.append(FileEnds())
        else:
            self._events.append(Field(self._name, self._value.decode("utf-8", "replace")))

    def _all_ends(self) -> None:
        self._ended = True


def _media_type(value: bytes) -> str:
    kind = value.split(b";", 1)[0].strip().decode("ascii", "replace").lower()
    return kind if _MEDIA_TYPE.match(kind) and len(kind) <= 127 else "application/octet-stream"
