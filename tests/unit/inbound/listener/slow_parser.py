"""The grammar of MAIL and RCPT read one character after the other: slow and plain, without regular expressions.

`mail` and `rcpt` return a tuple of what the fast parser's value holds, or the reply code of what is wrong.
"""

from __future__ import annotations

ATEXT = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~")
LETDIG = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
TYPE = (ATEXT - set("+=")) | {"."}


class Wrong(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, expected: str, code: int) -> None:
        if not self.text.startswith(expected, self.at):
            raise Wrong(code)
        self.at += len(expected)

    def run(self, allowed: set[str]) -> str:
        start = self.at
        while self.peek() and (self.peek() in allowed or ord(self.peek()) >= 0x80):
            self.at += 1
        return self.text[start : self.at]


def dot_string(reader: Reader) -> str:
    atoms = [reader.run(ATEXT)]
    while reader.peek() == ".":
        reader.at += 1
        atoms.append(reader.run(ATEXT))
    if not all(atoms):
        raise Wrong(553)
    return ".".join(atoms)


def is_dot_string(text: str) -> bool:
    reader = Reader(text)
    try:
        dot_string(reader)
    except Wrong:
        return False
    return reader.at == len(text)


def local_part(reader: Reader) -> str:
    if reader.peek() != '"':
        return dot_string(reader)
    reader.at += 1
    content = ""
    while (char := reader.peek()) != '"':
        if char == "\\":
            reader.at += 1
            char = reader.peek()
            if not char or not " " <= char <= "~":
                raise Wrong(553)
        elif not char or not (" " <= char <= "~" or ord(char) >= 0x80):
            raise Wrong(553)
        content += char
        reader.at += 1
    reader.at += 1
    if is_dot_string(content):
        return content
    return '"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"'


def domain(reader: Reader) -> str:
    labels = []
    while True:
        label = reader.run(LETDIG | {"-"})
        if not label or label[0] == "-" or label[-1] == "-":
            raise Wrong(553)
        labels.append(label)
        if reader.peek() != ".":
            return ".".join(labels)
        reader.at += 1


class Path:
    """A path as it is written: what it means is judged later, as SMTPUTF8 stands behind it."""

    def __init__(self, reader: Reader) -> None:
        start = reader.at
        reader.take("<", 501)
        if reader.peek() == "@":
            source_route(reader)
        self.local = local_part(reader)
        reader.take("@", 553)
        self.is_literal = reader.peek() == "["
        self.domain = literal(reader) if self.is_literal else domain(reader)
        reader.take(">", 553)
        self.raw = reader.text[start : reader.at]

    def address(self, *, smtputf8: bool) -> str:
        whole = f"{self.local}@{self.domain}"
        too_long = (
            any(len(label.encode()) > 63 for label in self.domain.split("."))
            or len(self.local.encode()) > 64
            or len(self.domain.encode()) > 255
            or len(whole.encode()) > 254
        )
        if self.is_literal or too_long or not (self.raw.isascii() or (smtputf8 and self.raw.isprintable())):
            raise Wrong(553)
        return whole


def source_route(reader: Reader) -> None:
    while True:
        reader.take("@", 553)
        domain(reader)
        if reader.peek() != ",":
            break
        reader.at += 1
    reader.take(":", 553)


def literal(reader: Reader) -> str:
    start = reader.at
    reader.take("[", 553)
    while "!" <= reader.peek() <= "~" and reader.peek() not in "[\\]":
        reader.at += 1
    reader.take("]", 553)
    return reader.text[start : reader.at]


def parameters(reader: Reader, known: set[str], free: set[str]) -> dict[str, str | None]:
    rest = reader.text[reader.at :]
    found: dict[str, str | None] = {}
    if not rest:
        return found
    if rest[0] != " ":
        raise Wrong(501)
    for item in rest[1:].split(" "):
        name, equals, value = item.partition("=")
        if not name or name[0] == "-" or any(char not in LETDIG | {"-"} for char in name):
            raise Wrong(501)
        if equals and (
            not value or any(char == "=" or not ("!" <= char <= "~" or ord(char) >= 0x80) for char in value)
        ):
            raise Wrong(501)
        name = name.upper()
        if name not in known or name in found:
            raise Wrong(555)
        if not value.isascii() and name not in free:
            raise Wrong(501)
        found[name] = value if equals else None
    return found


def xtext(value: str | None, *, smtputf8: bool) -> str | None:
    if value is None:
        raise Wrong(501)
    decoded, at = "", 0
    while at < len(value):
        char = value[at]
        if char == "+":
            pair = value[at + 1 : at + 3]
            if len(pair) != 2 or any(digit not in "0123456789ABCDEF" for digit in pair):
                raise Wrong(501)
            char = chr(int(pair, 16))
            if not " " <= char <= "~":
                raise Wrong(501)
            at += 2
        elif char == "=" or not (char.isascii() or smtputf8) or not char.isprintable():
            raise Wrong(501)
        decoded += char
        at += 1
    if not decoded:
        raise Wrong(501)
    return decoded


def start(argument: bytes, keyword: str) -> Reader:
    try:
        text = argument.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong(501) from None
    if text[: len(keyword)].upper() != keyword or not text[len(keyword) :].startswith("<"):
        raise Wrong(501)
    while text.endswith(" "):
        text = text[:-1]
    reader = Reader(text)
    reader.at = len(keyword)
    return reader


def mail(argument: bytes) -> tuple[object, ...] | int:
    try:
        reader = start(argument, "FROM:")
        written = None
        if reader.text.startswith("<>", reader.at):
            reader.at += 2
        else:
            written = postmaster(reader) or Path(reader)
        values = parameters(reader, {"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"}, {"AUTH"})
        smtputf8 = "SMTPUTF8" in values
        if values.get("SMTPUTF8") is not None or isinstance(written, str):
            return 501 if values.get("SMTPUTF8") is not None else 553
        sender = written.address(smtputf8=smtputf8) if written else ""
        return (sender, size(values), choice(values, "BODY", ("7BIT", "8BITMIME")) or "7BIT", smtputf8,
                choice(values, "RET", ("FULL", "HDRS")), envid(values),
                xtext(values["AUTH"], smtputf8=smtputf8) if "AUTH" in values else None)  # fmt: skip
    except Wrong as wrong:
        return wrong.code


def postmaster(reader: Reader) -> str:
    name = "<postmaster>"
    written = reader.text[reader.at : reader.at + len(name)]
    if written.lower() != name:
        return ""
    reader.at += len(name)
    return written[1:-1]


def size(values: dict[str, str | None]) -> int | None:
    if "SIZE" not in values:
        return None
    value = values["SIZE"] or ""
    if not value or len(value) > 20 or any(digit not in "0123456789" for digit in value):
        raise Wrong(501)
    return int(value)


def choice(values: dict[str, str | None], name: str, options: tuple[str, ...]) -> str | None:
    if name not in values:
        return None
    value = (values[name] or "").upper()
    if value not in options:
        raise Wrong(501)
    return value


def envid(values: dict[str, str | None]) -> str | None:
    if "ENVID" not in values:
        return None
    if len(values["ENVID"] or "") > 100:
        raise Wrong(501)
    return xtext(values["ENVID"], smtputf8=False)


def rcpt(argument: bytes, *, smtputf8: bool) -> tuple[object, ...] | int:
    try:
        reader = start(argument, "TO:")
        written: str | Path = ""
        if reader.text.startswith("<>", reader.at):
            reader.at += 2
        else:
            written = postmaster(reader) or Path(reader)
        values = parameters(reader, {"NOTIFY", "ORCPT"}, {"ORCPT"})
        if not written:
            return 553
        address = written if isinstance(written, str) else written.address(smtputf8=smtputf8)
        return (address, notify(values), orcpt(values, smtputf8=smtputf8))
    except Wrong as wrong:
        return wrong.code


def notify(values: dict[str, str | None]) -> frozenset[str] | None:
    if "NOTIFY" not in values:
        return None
    words = (values["NOTIFY"] or "").upper().split(",")
    if words == ["NEVER"] or all(word in {"SUCCESS", "FAILURE", "DELAY"} for word in words):
        return frozenset(words)
    if all(word == "NEVER" for word in words):
        return frozenset(words)
    raise Wrong(501)


def orcpt(values: dict[str, str | None], *, smtputf8: bool) -> str | None:
    if "ORCPT" not in values:
        return None
    value = values["ORCPT"] or ""
    kind, semicolon, address = value.partition(";")
    if not kind or not semicolon or any(char not in TYPE for char in kind) or len(value.encode()) > 500:
        raise Wrong(501)
    return f"{kind};{xtext(address, smtputf8=smtputf8)}"
