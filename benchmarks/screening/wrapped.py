"""Rarer wrappings: signed but readable mail, OpenPGP literals, mailboxes, pictures and sheets inside documents, old Excel."""

from __future__ import annotations

import bz2
import datetime as dt
import functools
import io
import struct
import zlib
from random import Random

import docx
import pikepdf
import xlwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from docx.shared import Inches
from PIL import Image

from benchmarks.screening import files, filler, letters, office, pages, parts, pdfs
from benchmarks.screening.files import File, Maker, name, rows
from benchmarks.screening.letters import Letter
from benchmarks.screening.marks import unmarked
from benchmarks.screening.openpgp import armour, packet
from benchmarks.screening.parts import Part
from benchmarks.screening.passages import Passage


@functools.cache
def _signer() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.derive_private_key(0x51A7E, ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Touring")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder(called, called, key.public_key(), 7, start, start + dt.timedelta(days=900)).sign(
        key, hashes.SHA256()
    )
    return made, key


def _cms(octets: bytes, *options: pkcs7.PKCS7Options) -> bytes:
    certificate, key = _signer()
    builder = pkcs7.PKCS7SignatureBuilder().set_data(octets).add_signer(certificate, key, hashes.SHA256())
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary, *options])


def signed_opaque(letter: Letter, passage: Passage) -> None:
    """S/MIME signed-data with the content inside (RFC 8551 section 3.5.2): base64 of DER, yet no secret."""
    letter.blocks.append(passage.prose)
    inner = parts.text(letter.rng, letters.body_text(letter), "plain", letter.language).render()
    kind = "Content-Type: application/pkcs7-mime; smime-type=signed-data;\r\n name=smime.p7m"
    letter.own_text = Part(
        (kind, "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=smime.p7m"),
        parts.in_base64(_cms(inner)),
    )


def signed_detached(letter: Letter) -> None:
    text = parts.text(letter.rng, letters.body_text(letter), "plain", letter.language)
    signature = _cms(text.render(), pkcs7.PKCS7Options.DetachedSignature)
    part = Part(
        (
            "Content-Type: application/pkcs7-signature; name=smime.p7s",
            "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename=smime.p7s",
        ),
        parts.in_base64(signature),
    )
    letter.own_text = parts.multipart(
        letter.rng, "signed", [text, part], extra=';\r\n protocol="application/pkcs7-signature"; micalg=sha-256'
    )


def literal(rng: Random, passage: Passage) -> File:
    """An OpenPGP message that nothing encrypts: a literal packet, as it is or in a compressed packet."""
    body = packet(11, b"b\x00" + struct.pack(">I", 0) + unmarked(passage.prose).encode())
    squeeze = zlib.compressobj(wbits=-15)
    octets = rng.choice(
        [
            body,
            packet(8, b"\x01" + squeeze.compress(body) + squeeze.flush()),
            packet(8, b"\x02" + zlib.compress(body)),
            packet(8, b"\x03" + bz2.compress(body)),
        ]
    )
    if rng.random() < 0.5:
        return File(
            "message.asc",
            rng.choice(["application/pgp-encrypted", "text/plain", "application/octet-stream"]),
            armour("MESSAGE", octets).encode(),
        )
    return File("message.pgp", "application/octet-stream", octets)


def mailbox(rng: Random, passage: Passage) -> File:
    made = b""
    for at in range(rng.randint(2, 5)):
        one = letters.letter(rng)
        if at == 1:
            one.blocks.append(passage.prose)
        made += b"From MAILER-DAEMON Mon Jan  5 09:00:00 2026\n" + letters.octets(one).replace(b"\r\n", b"\n") + b"\n"
    return File(name(rng, "mbox"), "application/mbox", made)


def picture_in_word(rng: Random, passage: Passage) -> File:
    document = docx.Document()
    document.add_paragraph(filler.paragraph(rng, "en"))
    sheet = pages.written(rng, pages.said(rng, passage), 1300, 800, 30)
    document.add_picture(io.BytesIO(pages.saved(sheet, "PNG")), width=Inches(6))
    made = io.BytesIO()
    document.save(made)
    return File(
        name(rng, "docx"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        files.rezipped(made.getvalue()),
    )


def sheet_in_word(rng: Random, passage: Passage) -> File:
    """A workbook embedded in a document, as pasting from Excel leaves it."""
    inner = office.MAKERS["xlsx"][0](rng, passage)
    document = docx.Document()
    document.add_paragraph(filler.paragraph(rng, "en"))
    part = docx.opc.part.Part(
        docx.opc.packuri.PackURI("/word/embeddings/Microsoft_Excel_Sheet1.xlsx"),
        inner.media_type,
        inner.octets,
        document.part.package,
    )
    document.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/package")
    made = io.BytesIO()
    document.save(made)
    return File(
        name(rng, "docx"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        files.rezipped(made.getvalue()),
    )


def old_excel(rng: Random, passage: Passage) -> File:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Sheet1")
    for at, row in enumerate(rows(passage)):
        for column, cell in enumerate(row):
            sheet.write(at, column, int(cell) if cell.isdigit() and rng.random() < 0.5 else cell)
    if rng.random() < 0.2:
        book.add_sheet("cover")
        sheet.visibility = 1
        book.active_sheet = 1
    made = io.BytesIO()
    book.save(made)
    return File(name(rng, "xls"), "application/vnd.ms-excel", made.getvalue())


def xfa(rng: Random, passage: Passage) -> File:
    """A PDF whose values lie in its XFA data set only."""
    said = unmarked(passage.prose).replace("&", "&amp;").replace("<", "&lt;")
    data = f'<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><form1><Name>{passage.person.name}</Name><Note>{said}</Note></form1></xfa:data></xfa:datasets>'
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdfs.text_pdf(rng, [filler.paragraph(rng, "en")], "en"))) as document:
        stream = document.make_stream(data.encode())
        document.Root.AcroForm = pikepdf.Dictionary(
            Fields=pikepdf.Array([]), XFA=pikepdf.Array([pikepdf.String("datasets"), stream])
        )
        document.save(made, deterministic_id=True)
    return File(name(rng, "pdf"), "application/pdf", made.getvalue())


def other_picture(rng: Random, passage: Passage) -> File:
    sheet = pages.written(rng, pages.said(rng, passage), 1300, 900, 32)
    kind, ending = rng.choice(
        [
            ("GIF", "gif"),
            ("BMP", "bmp"),
            ("WEBP", "webp"),
            ("AVIF", "avif"),
            ("JPEG2000", "jp2"),
            ("PPM", "pgm"),
            ("TIFF", "tif"),
        ]
    )
    return File(name(rng, ending), f"image/{ending}", pages.saved(sheet, kind))


def heic(rng: Random, passage: Passage) -> File:
    import pillow_heif

    sheet = pages.photographed(rng, pages.written(rng, pages.said(rng, passage), 1300, 900, 32))
    made = io.BytesIO()
    pillow_heif.from_pillow(sheet).save(made, quality=70)
    return File(f"IMG_{rng.randint(1000, 9999)}.HEIC", "image/heic", made.getvalue())


def long_fax(rng: Random, passage: Passage) -> File:
    """A fax of several pages, with the number on one that is not the first."""
    sheets = [pages.fax_page(rng, [filler.sentence(rng, "en") for _ in range(6)]) for _ in range(rng.randint(1, 2))]
    sheets.append(pages.fax_page(rng, pages.said(rng, passage)))
    made = [sheet.point(lambda value: 255 if value > 140 else 0).convert("1") for sheet in sheets]
    octets = io.BytesIO()
    first: Image.Image = made[0]
    first.save(octets, "TIFF", save_all=True, append_images=made[1:], compression="group4", dpi=(204, 196))
    return File("fax.tif", "image/tiff", octets.getvalue())


MAKERS: dict[str, tuple[Maker, str]] = {
    "openpgp literal": (literal, "hidden"), "mailbox": (mailbox, "contained"), "picture in docx": (picture_in_word, "contained"), "sheet in docx": (sheet_in_word, "hidden"), "xls": (old_excel, "contained"),
    "pdf xfa": (xfa, "hidden"), "other picture": (other_picture, "contained"), "heic": (heic, "contained"), "fax of pages": (long_fax, "contained"),
}  # fmt: skip
WRITERS = {"signed opaque": (signed_opaque, "contained")}
READ_BY_EYE = frozenset({"picture in docx", "other picture", "heic", "fax of pages"})
