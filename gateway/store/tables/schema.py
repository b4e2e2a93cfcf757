"""How every table is made: the metadata with its names, and the columns that recur."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, String

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

LATER = {"later": True}
"""Marks a column that a table of signed rows got later: while it is empty the signature does not stand over it, so that
what was signed before stays genuine."""


def ident() -> Column[str]:
    """Return the column of a row's own id."""
    return Column("id", String(64), primary_key=True)


def ref(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[str]:
    """Return a column that names a row of another table."""
    return Column(name, String(64), ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def us(name: str, *, nullable: bool = True) -> Column[int]:
    """Return a column for an instant in microseconds UTC."""
    return Column(name, BigInteger, nullable=nullable)


def later(name: str, length: int) -> Column[str]:
    """Return a text column that a table of signed rows got later."""
    return Column(name, String(length), info=LATER)


def signed() -> tuple[Column[int], Column[bytes]]:
    """Return the two columns that every row of power ends with."""
    return Column("version", Integer, nullable=False), Column("signature", LargeBinary, nullable=False)
