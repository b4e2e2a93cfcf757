"""A target for atheris: one document of any format, as a part or a member of an archive may be.

`python tests/fuzz/document_target.py FOLDER -runs=N`: FOLDER holds what was found before; an empty one is given a
document of each format. The first octet of each chooses the name's ending, the others are the document. Ends with a
trace when reading raises, crashes, or takes far longer than so few octets may.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["gateway.screening.extraction"]):
    from gateway.screening.chunk import Budget, Limits
    from gateway.screening.extraction.documents import Document, extract_document, preload

from tests.unit.screening.extraction import samples

ENDINGS = (
    "",
    "html",
    "rtf",
    "csv",
    "json",
    "xml",
    "ics",
    "eml",
    "mbox",
    "pdf",
    "tar",
    "p7m",
    "pgp",
    "zip",
    "doc",
    "dat",
)
_MEMORY = 3 * 1024**3  # octets: what asks for more is told that there is none, as in a child
_SECONDS = 10.0  # of processor time: it is instrumented
_LIMITS = Limits(ocr_pages=0, pixels=1_000_000)


def write_seeds(folder: Path) -> None:
    """One document of each format, named by its ending where that says how to read it."""
    for name, octets in samples.every().items():
        ending = name.rpartition(".")[2]
        (folder / name).write_bytes(bytes([ENDINGS.index(ending) if ending in ENDINGS else 0]) + octets)


def read_one(octets: bytes) -> None:
    """One document."""
    ending = ENDINGS[octets[0] % len(ENDINGS)] if octets else ""
    began = time.process_time()
    for _ in extract_document(Document(octets[1:], "", f"a.{ending}", "attachment 1"), Budget(_LIMITS), 0):
        pass
    if time.process_time() - began > _SECONDS:
        raise AssertionError("a document took too long")


if __name__ == "__main__":
    if len(sys.argv) > 1 and Path(sys.argv[1]).is_dir() and not any(Path(sys.argv[1]).iterdir()):
        write_seeds(Path(sys.argv[1]))
    preload(pages=False)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    atheris.Setup(sys.argv, read_one)
    atheris.Fuzz()
