"""The papers that the demo's correspondents come in by: what they say is the programme's data, `demo.toml` beside it.

The consent form comes as any paper does: a scanned document in a mail that waits in the intake tray, sealed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from gateway.demo.people import DemoPerson
from gateway.domain.errors import ConfigError
from gateway.domain.paper import Shape
from gateway.domain.programme import Form, FormKind, Programme

SCANNER = "scanner@agency.example"


@dataclass(frozen=True, slots=True)
class Papers:
    """What stands on the papers, by form and field, and which role they give to whom of the demo's people."""

    fields: Mapping[str, Mapping[str, str]]
    roles: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path) -> Papers:
        """Read a programme's folder. Raises ConfigError where nothing there is for a demo."""
        try:
            said = tomllib.loads((folder / "demo.toml").read_text("utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"{folder} has no demo.toml: a demo needs invented answers to its forms.") from None
        return cls(fields=said, roles=said.pop("roles"))

    def answers(self, form: Form, today: date) -> dict[str, str]:
        """Return the values of a form's fields; a date of signature that is not given is today's."""
        known = dict(self.fields.get(form.kind.value, {}))
        for one in form.fields:
            if one.shape is Shape.SIGNATURE_DATE and not one.is_of_appendix:
                known.setdefault(one.key, today.isoformat())
        return known

    def scanned(self, programme: Programme, users: Sequence[DemoPerson], mark: str, today: date) -> bytes:
        """Return the mail that a scanner makes of the papers: the same octets for the same `mark` and day."""
        lines: list[str] = []
        for form in programme.forms:
            if form.kind.value in self.fields:
                answers = self.answers(form, today)
                lines += [f"{form.number}: {form.title}", ""]
                lines += [f"{one.label}: {answers[one.key]}" for one in form.fields if one.key in answers] + [""]
                if form.kind is FormKind.CONSENT:
                    lines += [_row(programme, who, self.roles[who.key]) for who in users] + [""]
        mail = EmailMessage(SMTP)
        mail["From"] = f"Scanner <{SCANNER}>"
        mail["Subject"] = "Scanned papers"
        mail["Message-ID"] = f"<papers.{mark}@agency.example>"
        mail.set_content("Papers that came today.\n")
        mail.add_attachment(printed(lines), maintype="application", subtype="pdf", filename="papers.pdf")
        mail.set_boundary(f"papers.{mark}")
        return mail.as_bytes()


def printed(lines: Sequence[str]) -> bytes:
    """Return a PDF of one page with these lines (ISO 32000-1 section 7.5)."""
    shown = "".join(f"({_escaped(line)}) '\n" for line in lines)
    drawing = f"BT /F 10 Tf 14 TL 56 800 Td\n{shown}ET".encode("latin-1", "replace")
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
    )
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    octets, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(octets))
        octets += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(octets))
    return octets + head + table + trailer


def _row(programme: Programme, who: DemoPerson, key: str) -> str:
    role = programme.role(key)
    return f"Designated user: {who.name}, {who.address}, {who.telephone}: {role.title if role else key}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
