"""The values that scanning a message yields: limits, headers, defects, and the structure that holds them."""

from __future__ import annotations

from collections.abc import KeysView, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.partmap import PartMap


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of one scan. Over a cap nothing is raised: a defect names the cap and scanning goes on flat.

    header_block: octets of one header block. structured_header: octets of one structured field that are read (address
    lists have `address_list`, because a mail to three hundred colleagues is legal). headers: fields in one block.
    parts: nodes of the part map. depth: open multiparts and messages. encoded_words: in one field (RFC 2047).
    parameters: in one field (RFC 2231). near_boundaries: lines that begin like a delimiter and are none. defects: how
    many are listed.
    """

    header_block: int = 102_400
    structured_header: int = 8_192
    address_list: int = 32_768
    headers: int = 1_000
    parts: int = 200
    depth: int = 20
    encoded_words: int = 200
    parameters: int = 50
    near_boundaries: int = 100
    defects: int = 500

    def __post_init__(self) -> None:
        if min(self.header_block, self.structured_header, self.headers, self.parts, self.depth) < 1:
            raise ValueError("limits are positive")


class DefectKind(StrEnum):
    """What can be wrong with a structure. A kind says what was seen; what follows from it is the reader's policy."""

    OVER_CAP = "over_cap"  # detail: the field of Limits
    # Delimiters (RFC 2046 section 5.1).
    MISSING_BOUNDARY = "missing_boundary"  # a multipart that names none: read as text
    ODD_BOUNDARY = "odd_boundary"  # too long, or with characters that make it ambiguous
    BOUNDARY_REUSED = "boundary_reused"  # the same as one that is open
    MISSING_PARTS = "missing_parts"  # no delimiter ever came: read as text
    MISSING_CLOSE = "missing_close"
    EARLY_CLOSE = "early_close"  # delimiters of this multipart after its close
    LATE_CLOSE = "late_close"  # a delimiter after the multipart around it went on
    NEAR_BOUNDARY = "near_boundary"  # detail: how many
    PREAMBLE_TEXT = "preamble_text"  # offset and length tell where it lies, so that it can be screened
    EPILOGUE_TEXT = "epilogue_text"
    # Header blocks (RFC 5322 sections 2.2 and 3.6).
    DUPLICATE_HEADER = "duplicate_header"  # detail: the field
    HEADER_WITHOUT_COLON = "header_without_colon"  # a line that is no field; offset and length tell where
    HEADER_CUT = "header_cut"  # a delimiter or the end came before the blank line
    ODD_HEADER_NAME = "odd_header_name"  # blanks before the colon
    FOLDED_EMPTY = "folded_empty"  # a line of nothing but blanks inside of a field
    NUL = "nul"
    BARE_CR = "bare_cr"
    BARE_LF = "bare_lf"
    EIGHT_BIT_HEADER = "eight_bit_header"
    ENVELOPE_LINE = "envelope_line"  # "From " as an mbox file has it
    # Fields that say what a part is (RFC 2045, 2047, 2183, 2231).
    BAD_CONTENT_TYPE = "bad_content_type"
    ODD_CONTENT_TYPE = "odd_content_type"  # detail: an oddity of parameters.py
    ODD_DISPOSITION = "odd_disposition"
    MISSPELT_MULTIPART = "misspelt_multipart"
    UNKNOWN_ENCODING = "unknown_encoding"
    ODD_ENCODING = "odd_encoding"  # a known one, oddly written
    ENCODED_COMPOSITE = "encoded_composite"  # base64 or quoted-printable over a multipart or message
    UNKNOWN_CHARSET = "unknown_charset"
    FILENAME_DISAGREES = "filename_disagrees"  # Content-Type and Content-Disposition give two names
    ODD_ENCODED_WORD = "odd_encoded_word"
    PROTECTION_DISAGREES = "protection_disagrees"  # the content is not the kind of CMS that its type says
    # What only the strict pass sees (strict.py): it looks at whole bodies, and is made for mail from outside.
    SECOND_BOUNDARY = "second_boundary"  # another boundary can be read from the field, and the body has its lines
    STRAY_BOUNDARY = "stray_boundary"  # a boundary stands where no delimiter is: indented, quoted, inside of a line
    OUTSIDE_PAYLOAD = "outside_payload"  # preamble or epilogue hold fields of a part, or a file
    PARTIAL = "partial"  # message/partial: the rest comes in other mails
    EXTERNAL_BODY = "external_body"  # message/external-body: the content lies elsewhere
    RISKY_CHARSET = "risky_charset"  # UTF-7, UTF-16, UTF-32, EBCDIC: ASCII readers see something else
    TYPE_DISAGREES = "type_disagrees"  # type, name and content are not of one kind
    BASE64_JUNK = "base64_junk"
    BASE64_INNER_PADDING = "base64_inner_padding"
    BASE64_TRUNCATED = "base64_truncated"
    QP_BAD_ESCAPE = "qp_bad_escape"
    QP_TRAILING_BLANK = "qp_trailing_blank"
    UU_BAD_LINE = "uu_bad_line"
    UUENCODED_TEXT = "uuencoded_text"  # a file stands inside of a text
    YENC_TEXT = "yenc_text"
    BINHEX_TEXT = "binhex_text"


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing wrong at one part. `detail` is a word of ours or the name of a standard field, never content."""

    kind: DefectKind
    path: str
    detail: str = ""
    offset: int = 0
    length: int = 0


class Mark(StrEnum):
    """What the content of a part tells of the mail that it stands in, as an own part of it (see marks.py)."""

    RECALL = "recall"
    OUT_OF_OFFICE = "out_of_office"
    CALENDAR_REPLY = "calendar_reply"
    REPORT = "report"
    CLOUD_LINK = "cloud_link"


class Header(NamedTuple):
    """One field as received: `value` is every octet after the colon up to its last line end, folds included.

    `offset` and `length` cover the whole field with its name and its line end; `key` is its name in lower case. A tuple
    is made three times as fast as a data class, and each message has dozens.
    """

    name: str
    value: bytes
    offset: int
    length: int
    key: str


@dataclass(frozen=True, slots=True)
class Structure:
    """What a message is made of. `body_offset` is where the body begins, `size` the octets of the whole message.

    `marks` are of its own parts, not of messages attached to it.
    """

    headers: tuple[Header, ...]
    part_map: PartMap
    defects: tuple[Defect, ...]
    body_offset: int
    size: int
    marks: frozenset[Mark] = frozenset()
    _by_name: Mapping[str, tuple[Header, ...]] = dataclass_field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[str, tuple[Header, ...]] = {header.key: (header,) for header in self.headers}
        if len(by_name) < len(self.headers):
            by_name.clear()
            for header in self.headers:
                by_name[header.key] = (*by_name.get(header.key, ()), header)
        object.__setattr__(self, "_by_name", by_name)

    @property
    def names(self) -> KeysView[str]:
        """The names of all fields, in lower case."""
        return self._by_name.keys()

    def field(self, name: str) -> Header | None:
        """The first field of this name, in any letter case."""
        found = self._by_name.get(name.lower())
        return found[0] if found else None

    def fields(self, name: str) -> tuple[Header, ...]:
        """All fields of this name, in any letter case."""
        return self._by_name.get(name.lower(), ())

    def has(self, kind: DefectKind) -> bool:
        """True when a defect of this kind was seen anywhere."""
        return any(defect.kind == kind for defect in self.defects)

    @property
    def is_over_cap(self) -> bool:
        """True when some part of the message was not looked into because a limit was reached."""
        return self.has(DefectKind.OVER_CAP)
