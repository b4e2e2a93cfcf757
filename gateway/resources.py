"""Where the files that ship beside the code are found.

In a checkout `templates/` and `programmes/` stand beside `gateway/`; in a wheel they lie in `gateway/_data/`.
Both are plain folders: a site that brings its own templates or programme names another folder in `gateway.toml`.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates_folder() -> Path:
    """Folder of the shipped templates: `notifications/`, `portal/`. Raises FileNotFoundError when it is missing."""
    return _folder("templates")


def programmes_folder() -> Path:
    """Folder of the shipped programmes, one folder each. Raises FileNotFoundError when it is missing."""
    return _folder("programmes")


def _folder(name: str) -> Path:
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the shipped folder {name} is missing: install the gateway again")
