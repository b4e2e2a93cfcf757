"""The files that the settings name: whether they are there, and whether others can read what is secret."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509

from gateway.config.fax import FaxSettings
from gateway.config.problems import ConfigProblems, Problem
from gateway.config.settings import NotifierSettings, Settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def file_problems(settings: Settings) -> list[Problem]:
    """Look at every file and folder the settings name, as far as this user may; return what is wrong."""
    problems: list[Problem] = []
    for key, path in _readable(settings).items():
        problems += _missing(settings, key, path)
    for relay in settings.submission.relays:
        problems += _no_certificates(settings, f"relay.{relay.name}.client_ca", relay.client_ca)
    people = settings.submission.sign_in.certificates
    if people is not None:
        problems += _no_certificates(settings, "submission.certificates.client_ca", people.client_ca)
    for key, path in _secrets(settings).items():
        problems += _missing(settings, key, path) or exposed(settings.file, key, path)
    for path in sorted(key_files(settings)):
        problems += exposed(settings.file, "keys.folder", path)
    return problems


def require_private(settings: Settings, paths: Iterable[Path]) -> None:
    """Raise ConfigProblems when one of these files can be read by others than its owner."""
    problems = [problem for path in paths for problem in exposed(settings.file, "", path)]
    if problems:
        raise ConfigProblems(problems)


def key_files(settings: Settings) -> list[Path]:
    """Return every file below the folders of keys that this user may see and that is not a public half."""
    found: set[Path] = set()
    for folder in (settings.keys.folder, settings.notifier.dkim.folder):
        with contextlib.suppress(OSError):
            found |= {path for path in folder.rglob("*") if path.is_file() and ".pub" not in path.suffixes}
    return sorted(found)


def exposed(file: Path, key: str, path: Path) -> list[Problem]:
    """Return a problem when others than its owner can read or change the file."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return []
    if not mode & OTHERS:
        return []
    what = f"{path} can be read or changed by others (mode {stat.S_IMODE(mode):04o})."
    return [Problem(str(file), key, what, f"Run: chmod 0{'700' if stat.S_ISDIR(mode) else '600'} {path}")]


def _readable(settings: Settings) -> dict[str, Path]:
    named = {
        "submission.certificate": settings.submission.certificate,
        "portal.certificate": settings.portal.certificate,
    }
    if settings.mx:
        named["mx.certificate"] = settings.mx.certificate
    for relay in settings.submission.relays:
        named[f"relay.{relay.name}.client_ca"] = relay.client_ca
    people = settings.submission.sign_in.certificates
    if people is not None:
        named["submission.certificates.client_ca"] = people.client_ca
        named |= {"submission.certificates.crl": people.crl} if people.crl else {}
    for provider in settings.authenticator.providers:
        if provider.ca_file:
            named[f"authenticator.providers.{provider.key}.ca_file"] = provider.ca_file
    if settings.authenticator.codes.ca_file:
        named["authenticator.codes.ca_file"] = settings.authenticator.codes.ca_file
    if settings.portal.smime_anchors:
        named["portal.smime_anchors"] = settings.portal.smime_anchors
    if settings.portal.openpgp_home:
        named["portal.openpgp_home"] = settings.portal.openpgp_home
    smime = settings.full_copies.keys.smime
    if smime is not None:
        named["full_copies.smime.authorities"] = smime.authorities
        named |= {"full_copies.smime.crl": smime.crl} if smime.crl else {}
    return named | _readable_of_fax(settings.fax) | _readable_of_notifier(settings.notifier)


def _readable_of_fax(own: FaxSettings | None) -> dict[str, Path]:
    if own is None:
        return {}
    named = {f"fax.mailboxes.{one.name}.ca_file": one.ca_file for one in own.mailboxes}
    named |= {f"fax.servers.{one.name}.client_ca": one.client_ca for one in own.servers}
    return {"fax.certificate": own.certificate} | {key: path for key, path in named.items() if path}


def _readable_of_notifier(own: NotifierSettings) -> dict[str, Path]:
    named = {
        "notifier.ca_file": own.relay.ca_file if own.relay else None,
        "notifier.direct.ca_file": own.direct.ca_file if own.direct else None,
        "notifier.templates": own.templates,
        "notifier.smime.certificate": own.smime.certificate if own.smime else None,
    }
    return {key: path for key, path in named.items() if path}


def _secrets(settings: Settings) -> dict[str, Path]:
    named = {"submission.key": settings.submission.key, "portal.key": settings.portal.key}
    if settings.mx:
        named["mx.key"] = settings.mx.key
    if settings.fax:
        named["fax.key"] = settings.fax.key
        named |= {f"fax.mailboxes.{one.name}.credentials_file": one.credentials_file for one in settings.fax.mailboxes}
    for provider in settings.authenticator.providers:
        named[f"authenticator.providers.{provider.key}.secret"] = provider.secret
    if settings.authenticator.codes.token:
        named["authenticator.codes.token"] = settings.authenticator.codes.token
    for relay in settings.submission.relays:
        if relay.organisation and relay.organisation.secret_file:
            named[f"relay.{relay.name}.secret_file"] = relay.organisation.secret_file
    if settings.keys.passphrase_file:
        named["keys.passphrase_file"] = settings.keys.passphrase_file
    own = settings.full_copies.keys.openpgp
    named |= {"full_copies.openpgp_key": own} if own.exists() else {}
    if settings.notifier.smime:
        named["notifier.smime.key"] = settings.notifier.smime.key
    if settings.notifier.relay and settings.notifier.relay.credentials_file:
        named["notifier.credentials_file"] = settings.notifier.relay.credentials_file
    return named


def _missing(settings: Settings, key: str, path: Path) -> list[Problem]:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return [Problem(str(settings.file), key, f"there is no file {path}.", "Make it, or correct the path.")]
    except OSError:
        return []
    return []


def _no_certificates(settings: Settings, key: str, path: Path) -> list[Problem]:
    try:
        x509.load_pem_x509_certificates(path.read_bytes())
    except OSError:
        return []
    except ValueError:
        return [Problem(str(settings.file), key, f"{path} has no certificates.", "Give it certificates in PEM.")]
    return []
