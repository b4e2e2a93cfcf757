"""What a template may be: text, fields of the notice, choices by them, and a layout that it fills. Read as a tree.

No loop, no call, no filter, no attribute, no arithmetic: a template is finite, and what it can say is known before it
says anything. Nothing in it is fetched, and no address stands in it but the portal's.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

FIELDS = frozenset({
    "subject", "reference", "portal", "host_in_words", "time", "until", "when", "count", "state", "environment",
    "trial", "sample", "sender", "agency", "telephone", "hours", "ask", "refusal", "kinds", "reads",
})  # fmt: skip
"""All that a template may ask for: the notice in words, and how the programme speaks of itself in plain mail."""

_NUMBERS = frozenset({"count", "reads"})
_ORDER = frozenset({"lt", "lteq", "gt", "gteq"})
_EQUAL = frozenset({"eq", "ne"})
_FETCHED = (
    "<img", "<script", "<link", "<form", "<iframe", "<object", "<video", "<audio", "<svg", "src=", "url(", "@import",
    "http:", "https:", "javascript:",
)  # fmt: skip
_BUILT = (nodes.Template, nodes.Block, nodes.If, nodes.Extends, nodes.Output)


def problems_of(tree: nodes.Template, form: str) -> Iterator[str]:
    """Yield what is wrong with a parsed template of `form` (`txt` or `html`), each with its line and what to do."""
    for node in tree.body:
        yield from _problems_of_statement(node, form, on_top=True)


def extended(tree: nodes.Template) -> list[str]:
    """Return the names of the templates that this one extends outright."""
    named = (node.template for node in tree.find_all(nodes.Extends))
    return [str(name.value) for name in named if isinstance(name, nodes.Const)]


def _problems_of_statement(node: nodes.Node, form: str, *, on_top: bool = False) -> Iterator[str]:
    if not isinstance(node, _BUILT):
        yield _not_plain(node)
    elif isinstance(node, nodes.Extends):
        yield from _problems_of_layout(node, form, on_top=on_top)
    elif isinstance(node, nodes.Output):
        for one in node.nodes:
            yield from _problems_of_output(one)
    elif isinstance(node, nodes.If):
        yield from _problems_of_test(node.test)
        for inner in (*node.body, *node.elif_, *node.else_):
            yield from _problems_of_statement(inner, form)
    elif isinstance(node, nodes.Block):
        for inner in node.body:
            yield from _problems_of_statement(inner, form)


def _problems_of_layout(node: nodes.Extends, form: str, *, on_top: bool) -> Iterator[str]:
    name = node.template
    if not on_top:
        yield f"line {node.lineno}: extends a layout in one case only. Put the line at the top of the file."
    elif not isinstance(name, nodes.Const):
        yield f"line {node.lineno}: extends a template that is not named outright. Write its name in quotes."
    elif not str(name.value).endswith(f".{form}"):
        yield f"line {node.lineno}: extends {name.value!r}, which is not of the same form. Extend one in .{form}."


def _problems_of_output(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.TemplateData):
        lowered = node.data.lower()
        for word in _FETCHED:
            if word in lowered:
                line = node.lineno + lowered[: lowered.index(word)].count("\n")
                yield (
                    f"line {line}: has {word!r}. Take it out: a notification has no picture, no script, no form, and "
                    "no address but {{ portal }}."
                )
    elif isinstance(node, nodes.Name):
        yield from _problems_of_name(node)
    elif not (isinstance(node, nodes.Const) and isinstance(node.value, str)):
        yield _not_plain(node)


def _problems_of_test(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Name):
        yield from _problems_of_name(node)
    elif isinstance(node, nodes.Not):
        yield from _problems_of_test(node.node)
    elif isinstance(node, nodes.And | nodes.Or):
        yield from _problems_of_test(node.left)
        yield from _problems_of_test(node.right)
    elif isinstance(node, nodes.Compare):
        yield from _problems_of_comparison(node)
    else:
        yield _not_plain(node)


def _problems_of_comparison(node: nodes.Compare) -> Iterator[str]:
    left, right = node.expr, node.ops[0].expr
    if not isinstance(left, nodes.Name):
        yield _not_plain(left)
        return
    yield from _problems_of_name(left)
    operators = _EQUAL | _ORDER if left.name in _NUMBERS else _EQUAL
    wanted = int if left.name in _NUMBERS else str
    fits = isinstance(right, nodes.Const) and type(right.value) is wanted
    if not fits or len(node.ops) > 1 or node.ops[0].op not in operators:
        yield f"line {node.lineno}: compares what cannot be: a field with a text by == or !=, count with a number."


def _problems_of_name(node: nodes.Name) -> Iterator[str]:
    if node.name not in FIELDS:
        yield (
            f"line {node.lineno}: asks for {node.name!r}, which is no field of a notice. Take it out: there are "
            f"{', '.join(sorted(FIELDS))}."
        )


def _not_plain(node: nodes.Node) -> str:
    kind = type(node).__name__.lower()
    return f"line {node.lineno}: uses {kind}. Take it out: fields, if, extends and block are all there is."
