"""Writes docs/replies.md from the code: `python -m tests.docs.replies_page` after a reply has changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.errors import GatewayError
from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from tests.docs.sources import ROOT

PAGE = ROOT / "docs" / "replies.md"
COMMANDS = ROOT / "gateway" / "inbound" / "listener" / "commands.py"
ANY = "…"
"""What stands in a reply's text where each case has its own words."""

HEAD = f"""# What the mail doors answer

Every SMTP reply that the gateway gives by itself, as `code enhanced-code text`. Written from the code by
`python -m tests.docs.replies_page`, and held to it by a test; another test finds each in a conversation. `{ANY}` stands
for words of the case. A reply tells the peer what to do, never what broke inside: that stands in the log, under the
incident's number. `4yz` means try again later, `5yz` means change something first.
"""


SHOWN = """
## How mail tools show a refusal

No tool shows a `250`. *swaks* shows the whole line, by `<~*` under TLS. *Thunderbird* says that sending failed and that
the mail server responded, then the enhanced code and the text, on one line. Behind an *Exchange* nobody sees the line
itself: its report chooses words of its own by the enhanced code, in the sense of the last column, and has our text in
small print below. So a code is not only right by RFC 3463, it is the one of those that misleads least.

| refused with | swaks | Thunderbird | what Exchange's own words come to |
| --- | --- | --- | --- |
"""
EXCHANGE = {
    "5.1.1": "there is no such recipient: look at the address",
    "5.3.4": "the message is too large: make it smaller",
    "5.4.6": "the mail goes round in a loop: tell your administrator",
    "5.6.0": "something in the content cannot be taken: look at it, and send again",
    "5.6.1": "this kind of content is not taken",
    "5.7.1": "you may not send to this recipient: ask its owner or your administrator",
    "5.7.7": "the message was changed on its way",
    "5.7.20": "the message is not signed as it has to be: tell your administrator",
    "5.7.22": "the message is not signed as it has to be: tell your administrator",
}
"""By enhanced code, in our words: Exchange's differ with its version and language."""


@dataclass(frozen=True, slots=True)
class Line:
    """One reply: the group it stands in, its codes and its text."""

    group: str
    codes: str
    text: str

    @property
    def whole(self) -> str:
        return f"{self.codes} {self.text}"


def page() -> str:
    """The page as it should be."""
    sections = [HEAD, *_errors()]
    groups: dict[str, list[Line]] = {}
    for line in (*own_lines(), *syntax_lines()):
        groups.setdefault(line.group, []).append(line)
    for group, lines in groups.items():
        rows = "\n".join(f"| `{line.codes}` | {_cell(line.text)} |" for line in lines)
        sections.append(f"\n## {group}\n\n| codes | text |\n| --- | --- |\n{rows}\n")
    return "".join((*sections, SHOWN, *_shown(groups["The message"])))


def own_lines() -> Iterator[Line]:
    """The replies that replies.py names, under the comment above them, and those that its functions make."""
    source = Path(replies.__file__).read_text("utf-8")
    group = ""
    for number, text in enumerate(source.splitlines(), 1):
        if text.startswith("# "):
            group = text[2:].rstrip(".")
        name = text.partition(" = SmtpReply(")[0]
        if name != text and name.isidentifier():
            reply = getattr(replies, name)
            assert isinstance(reply, SmtpReply), f"line {number}"
            yield Line(group, f"{reply.code} {reply.enhanced}".strip(), reply.text)
    number = "0123456789ab"
    for reply, word in ((replies.too_large(0), "0"), (replies.incident(number), number)):
        yield Line(group, f"{reply.code} {reply.enhanced}", reply.text.replace(word, ANY))


def syntax_lines() -> Iterator[Line]:
    """The replies to arguments of MAIL and RCPT that break their syntax."""
    for node in ast.walk(ast.parse(COMMANDS.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_refuse":
            code, enhanced, text = (_words(argument) for argument in node.args)
            yield Line("MAIL and RCPT are read strictly", f"{code} {enhanced}", text)


def error_kinds() -> Iterator[tuple[type[GatewayError], str]]:
    """Each error that a program behind the door may raise, with its codes."""
    for kind, (code, enhanced) in replies.TABLE.items():
        yield kind, f"{code} {enhanced}"


def _errors() -> Iterator[str]:
    yield "\n## What the programs behind the doors refuse\n\n| codes | error | what it means |\n| --- | --- | --- |\n"
    for kind, codes in error_kinds():
        yield f"| `{codes}` | `{kind.__name__}` | {_cell((kind.__doc__ or '').splitlines()[0].rstrip('.'))} |\n"


def _shown(of_message: list[Line]) -> Iterator[str]:
    """A row for each refusal of a message for good: those with fixed words, and the errors of the programs."""
    errors = [
        Line("", f"{code} {enhanced}", ANY)
        for kind, (code, enhanced) in replies.TABLE.items()
        if code >= 550 and not kind.__subclasses__()
    ]
    fixed = [line for line in of_message if line.codes.startswith("55")]
    for line in dict.fromkeys((*errors, *fixed)):
        enhanced, text = line.codes.split()[1], _cell(line.text)
        yield f"| `{line.codes}` | `<~* {line.codes} {text}` | `{enhanced} {text}` | {EXCHANGE[enhanced]} |\n"


def _words(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else ANY for one in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ANY


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
