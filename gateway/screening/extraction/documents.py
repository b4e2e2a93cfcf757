"""Documents in any format: read in every plausible way, by their octets first, under one budget, all in memory.

What it does: octets of a document to pieces of text with their place, and the names of places that could not be read.
What it trusts: nothing. What it holds: one document and what it unpacks to. How it fails: never by an exception; what
any library raises becomes Unreadable, and Unreadable is never clean.
"""

from __future__ import annotations

import encodings
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Final

from PIL import Image

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Budget, Chunk
from gateway.screening.extraction import archives, cards, ocr
from gateway.screening.extraction.archives import read_by_libarchive, read_squeezed, read_tar, read_zip
from gateway.screening.extraction.cards import read_card
from gateway.screening.extraction.descent import (
    Descent,
    Document,
    Item,
    Later,
    NestedMail,
    UnreadableError,
    guarded,
)
from gateway.screening.extraction.families import Family, plausible
from gateway.screening.extraction.jsons import read_json
from gateway.screening.extraction.markup import read_markup
from gateway.screening.extraction.media import read_media, read_metafile, read_program, read_silent
from gateway.screening.extraction.ole import read_ole
from gateway.screening.extraction.openpgp import read_openpgp
from gateway.screening.extraction.pdf import read_pdf
from gateway.screening.extraction.pictures import read_picture
from gateway.screening.extraction.rar import read_rar
from gateway.screening.extraction.rtf import read_rtf
from gateway.screening.extraction.sevenzip import read_seven_zip
from gateway.screening.extraction.smime import read_cms
from gateway.screening.extraction.tables import read_table
from gateway.screening.extraction.texts import read_text, strings
from gateway.screening.extraction.tnef import read_tnef
from gateway.screening.extraction.xmls import read_xml

__all__ = ["Document", "Item", "Later", "NestedMail", "extract_document", "preload"]


def extract_document(
    document: Document, budget: Budget, depth: int, *, mail: NestedMail | None = None, later: Later | None = None
) -> Iterator[Item]:
    """Text and unreadable places of a document, cheap things first. Never raises.

    `depth` counts what is around it; `mail` reads a message found inside. What costs a page is put off to `later`, for
    the caller to run; without one it is done at the end of this document.
    """
    own = Later() if later is None else later
    descent = Descent(budget, depth, own, _open, mail)
    yield from guarded(lambda: _open(document, descent), document.place)
    if later is None:
        yield from own.run()


def preload(*, pages: bool = True) -> None:
    """Import every codec and library and, to read `pages`, open the OCR engine: a sandboxed child can open no file."""
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in ("mbcs", "oem"):
            importlib.import_module(f"encodings.{module.name}")
    Image.init()
    archives.libarchive()
    if pages:
        ocr.engine()


def _open(document: Document, descent: Descent) -> Iterator[Item]:
    """One document in every way that it may be read."""
    descent.budget.check("depth", descent.depth)
    if not document.octets:
        return
    families = plausible(document)
    for family in families:
        yield from guarded(lambda: _READERS[family](document, descent), document.place, family.name.lower())  # noqa: B023
    if families == [Family.ZIP] and not document.octets.startswith(b"PK"):
        raise UnreadableError(Unread.UNKNOWN_TYPE, "program")  # what stands before the archive is nothing we know
    if not families:
        yield Chunk(strings(document.octets), document.place)
        raise UnreadableError(Unread.UNKNOWN_TYPE)


def _read_message(document: Document, descent: Descent) -> Iterator[Item]:
    return descent.message(document.octets, document.place)


_READERS: Final[dict[Family, Callable[[Document, Descent], Iterator[Item]]]] = {
    Family.TEXT: read_text,
    Family.HTML: read_markup,
    Family.RTF: read_rtf,
    Family.TABLE: read_table,
    Family.JSON: read_json,
    Family.XML: read_xml,
    Family.CARD: read_card,
    Family.MESSAGE: _read_message,
    Family.MAILBOX: cards.read_mailbox,
    Family.ZIP: read_zip,
    Family.OLE: read_ole,
    Family.PDF: read_pdf,
    Family.TNEF: read_tnef,
    Family.PICTURE: read_picture,
    Family.METAFILE: read_metafile,
    Family.TAR: read_tar,
    Family.SQUEEZED: read_squeezed,
    Family.SEVEN_ZIP: read_seven_zip,
    Family.RAR: read_rar,
    Family.ARCHIVE: read_by_libarchive,
    Family.CMS: read_cms,
    Family.OPENPGP: read_openpgp,
    Family.MEDIA: read_media,
    Family.PROGRAM: read_program,
    Family.SILENT: read_silent,
}
