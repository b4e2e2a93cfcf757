"""Import contracts that hold for what exists: a module named in `pyproject.toml` before it is written breaks nothing,
and binds from the commit in which it appears."""

from __future__ import annotations

from typing import Any

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.protected import ProtectedContract


class ForbiddenWherePresent(ForbiddenContract):
    type_name = "forbidden_where_present"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        keep_present(self, graph, "source_modules", "forbidden_modules")
        return super().check(graph, verbose)


class ProtectedWherePresent(ProtectedContract):
    type_name = "protected_where_present"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        keep_present(self, graph, "protected_modules", "allowed_importers")
        return super().check(graph, verbose)


def keep_present(contract: Any, graph: ImportGraph, *fields: str) -> None:
    for field in fields:
        named = getattr(contract, field)
        setattr(contract, field, type(named)(one for one in named if present(str(one.expression), graph)))


def present(expression: str, graph: ImportGraph) -> bool:
    stem = expression.partition(".*")[0]
    return stem in graph.modules
