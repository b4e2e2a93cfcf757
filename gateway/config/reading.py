"""One TOML table, read key by key: each wrong, missing or unknown key becomes a problem, and reading goes on."""

from __future__ import annotations

import difflib
import pwd
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

from gateway.config.problems import Problem
from gateway.config.settings import Listen

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

_UNITS = {"": 1, "octets": 1, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_TIMES = {"": 1, "s": 1, "min": 60, "h": 3600, "d": 86400}
_AMOUNT = re.compile(r"\s*(\d{1,9})\s*([A-Za-z]*)\s*\Z")
_WIDEST = {4: 8, 6: 16}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_LISTEN = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]*)):(\d{1,5})\Z")


class Table:
    """A table of the file. A read with no `default` needs the key to be there."""

    def __init__(self, data: Mapping[str, object], name: str, file: Path, problems: list[Problem]) -> None:
        self._data = dict(data)
        self._name = name
        self._file = file
        self._problems = problems
        self._known: list[str] = []

    @property
    def folder(self) -> Path:
        """The file's own folder, where relative paths begin."""
        return self._file.parent

    def complain(self, key: str, what: str, do: str) -> None:
        """Note one problem of a key of this table."""
        place = f"{self._name}.{key}" if self._name and key else self._name or key
        self._problems.append(Problem(str(self._file), place, what, do))

    def refuse(self, key: str, what: str, do: str) -> None:
        """Complain of a key that is set and may not be; of one that is absent, nothing."""
        if self._data.pop(key, None) is not None:
            self.complain(key, what, do)

    @property
    def unread(self) -> tuple[str, ...]:
        """The keys that nobody has read."""
        return tuple(self._data)

    def has(self, key: str) -> bool:
        """Tell whether the key, which is known here, is set and was not read before."""
        self._known.append(key)
        return key in self._data

    def text(self, key: str, default: str | None = None, like: re.Pattern[str] | None = None, shape: str = "") -> str:
        """Read one line of text that matches `like`; `shape` says in words what is wanted."""
        value = self._take(key, default)
        if value is None or value is default:
            return default or ""
        if isinstance(value, str) and value.strip() and value.isprintable() and (not like or like.match(value)):
            return value
        self.complain(key, "is not usable.", f"Give {shape or 'one line of text'}, in quotes.")
        return default or ""

    def texts(self, key: str, default: Iterable[str], pattern: re.Pattern[str], shape: str) -> tuple[str, ...]:
        """Read a list of texts that match `pattern`; an empty list is one."""
        value = self._take(key, list(default))
        if isinstance(value, list) and all(isinstance(one, str) and pattern.match(one) for one in value):
            return tuple(value)
        self.complain(key, "is not usable.", f'Give a list: ["…", "…"], each entry {shape}.')
        return tuple(default)

    def choice(self, key: str, default: str, options: Iterable[str]) -> str:
        """Read one of some words."""
        allowed = list(options)
        value = self._take(key, default)
        if isinstance(value, str) and value in allowed:
            return value
        self.complain(key, "is not one of the words known here.", f"Choose from: {', '.join(allowed)}.")
        return default

    def whole(self, key: str, default: int, least: int, most: int) -> int:
        """Read a whole number from `least` to `most`."""
        value = self._take(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.complain(key, "is not usable.", f"Give a whole number from {least} to {most}.")
        return default

    def fraction(self, key: str, default: float) -> float:
        """Read a number between 0 and 1."""
        value = self._take(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1:
            return float(value)
        self.complain(key, "is not usable.", "Give a number between 0 and 1, such as 0.5.")
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._take(key, default)
        if isinstance(value, bool):
            return value
        self.complain(key, "is not usable.", "Give true or false, without quotes.")
        return default

    def size(self, key: str, default: str, least: int = 1) -> int:
        """Read a size (`"150 MiB"` or octets) and return octets."""
        return self._amount(key, default, _UNITS, least, 'a size such as "150 MiB" (KiB, MiB, GiB)')

    def time(self, key: str, default: str, least: int = 1) -> int:
        """Read a length of time (`"30 min"` or seconds) and return seconds."""
        return self._amount(key, default, _TIMES, least, 'a time such as "30 min" (s, min, h, d)')

    def path(self, key: str, default: Path | str | None) -> Path:
        """Read a path, relative to the file's own folder."""
        return self.maybe_path(key, None if default is None else "") or self.folder / (default or "")

    def maybe_path(self, key: str, default: str | None = "") -> Path | None:
        """Read a path that may be left out."""
        value = self._take(key, default)
        if value is None:
            return None
        if not isinstance(value, str) or "\x00" in value:
            self.complain(key, "is not a path.", "Give a path in quotes; a relative one begins at the file's folder.")
            return None
        return self.folder / Path(value).expanduser() if value else None

    def listens(self, key: str, default: Iterable[str], least: str = "") -> tuple[Listen, ...]:
        """Read a list of `host:port`. With `least`, which shows one, it may not be empty."""
        value = self._take(key, list(default))
        items = value if isinstance(value, list) else [value]
        found = [_listen(item) for item in items]
        if not all(found):
            self.complain(key, "is not usable.", 'Give a list of addresses to listen on: ["0.0.0.0:587", "[::]:587"].')
            return ()
        if least and not found:
            self.complain(key, "names no address.", f'Give at least one: {key} = ["{least}"].')
        return tuple(one for one in found if one)

    def users(self, key: str) -> tuple[int, ...]:
        """Read a list of user names or numbers of this machine and return user ids."""
        value = self._take(key, [])
        items = value if isinstance(value, list) else [value]
        found: list[int] = []
        for item in items:
            uid = _uid(item)
            if uid is None:
                self.complain(key, "names a user that this machine does not have.", "Give user names or numbers: [0].")
            else:
                found.append(uid)
        return tuple(found)

    def networks(self, key: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Read a list of addresses and networks; one that is most of the Internet is none."""
        value = self._take(key, [])
        items = value if isinstance(value, list) else [value]
        found = [_network(item) for item in items]
        if all(found):
            return tuple(one for one in found if one)
        do = 'Give addresses and networks of your own: ["10.0.0.5", "10.1.0.0/24", "2001:db8:1::/64"].'
        self.complain(key, "is not usable.", do)
        return ()

    def named(self, key: str, read: Callable[[Table, str], T]) -> tuple[T, ...]:
        """Read inner tables by names of the operator's own, in their order: `[KEY.NAME]`."""

        def one(name: str, inner: Table) -> T:
            if not _NAME.match(name):
                inner.complain("", "is not a usable name.", "Give it one lower-case word.")
            return read(inner, name)

        return self.table(key, lambda outer: tuple(outer.table(name, partial(one, name)) for name in outer.unread))

    def table(self, key: str, read: Callable[[Table], T]) -> T:
        """Read an inner table, an absent one as empty."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            self.complain(key, "must be a table.", f"Write it as [{self._inner(key)}] on a line of its own.")
        table = Table(value if isinstance(value, dict) else {}, self._inner(key), self._file, self._problems)
        found = read(table)
        table.close()
        return found

    def close(self) -> None:
        """Complain of every key that nobody read."""
        for key in self._data:
            near = difflib.get_close_matches(key, self._known, 1)
            do = f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(sorted({*self._known}))}."
            self.complain(key, "is not known.", do)

    def _inner(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key

    def _take(self, key: str, default: object) -> object:
        self._known.append(key)
        if key in self._data:
            return self._data.pop(key)
        if default is None:
            self.complain(key, "is missing.", f"Add the line: {key} = …")
        return default

    def _amount(self, key: str, default: str, units: Mapping[str, int], least: int, shape: str) -> int:
        value = self._take(key, default)
        amount = _parse_amount(value, units)
        if amount is not None and amount >= least:
            return amount
        self.complain(key, "is not usable.", f"Give {shape}." if amount is None else f"Give at least {least}.")
        return _parse_amount(default, units) or least


def _parse_amount(value: object, units: Mapping[str, int]) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    found = _AMOUNT.match(str(value))
    unit = units.get(found[2].lower()) if found else None
    return int(found[1]) * unit if found and unit else None


def _listen(value: object) -> Listen | None:
    found = _LISTEN.match(value) if isinstance(value, str) else None
    if not found or int(found[3]) > 65535:
        return None
    return Listen(found[1] or found[2] or "0.0.0.0", int(found[3]))


def _network(value: object) -> IPv4Network | IPv6Network | None:
    try:
        found = ip_network(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.prefixlen >= _WIDEST[found.version] else None


def _uid(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    try:
        return pwd.getpwnam(str(value)).pw_uid
    except KeyError:
        return None
