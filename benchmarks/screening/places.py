"""All places that a passage can be written into, by name, with the goal that each falls under."""

from __future__ import annotations

from benchmarks.screening import files, office, packing, pages, pdfs, structures, texts, wrapped
from benchmarks.screening.files import Maker
from benchmarks.screening.texts import Writer

FILES: dict[str, tuple[Maker, str]] = {
    **files.MAKERS,
    **office.MAKERS,
    **pdfs.MAKERS,
    **pages.MAKERS,
    **packing.MAKERS,
    **wrapped.MAKERS,
}
PLACES: dict[str, tuple[Writer, str]] = {
    **texts.PLACES,
    **{place: (files.attach(maker), tier) for place, (maker, tier) in FILES.items()},
    **packing.WRITERS,
    **wrapped.WRITERS,
    **structures.WRITERS,
}
# Places made of pictures are read by OCR: only in letters that it is asked to know.
PICTURES = pages.READ_BY_EYE | wrapped.READ_BY_EYE
# A numeric cell holds nine digits and nothing else.
ONLY: dict[str, frozenset[str]] = {
    "xlsx number": office.NUMBER_CELLS,
    "xlsx boxes": office.BOXED,
    "docx boxes": office.BOXED,
    "pdf boxes": office.BOXED,
    "html fields": office.BOXED,
}
# An old Word document, winmail.dat and picture metadata know one charset of the West, a bar code few letters.
WESTERN = frozenset({*PICTURES, "winmail.dat", "picture metadata", "pdf unseen text", "pdf boxes"})
