"""From the file to the settings: every table, its defaults, and the rules that hold between them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gateway import resources
from gateway.config.doors import HOST, HOST_SHAPE, read_certificate, read_client_certificates, read_limits
from gateway.config.fax_reading import read_fax_table
from gateway.config.full_copies import read_full_copies
from gateway.config.guard import read_guard
from gateway.config.log import LogSettings
from gateway.config.mx import read_mx
from gateway.config.notifier import read_notifier
from gateway.config.problems import ConfigProblems, Problem
from gateway.config.providers import read_codes, read_provider
from gateway.config.reading import Table
from gateway.config.relays import read_relay, refuse_old_place
from gateway.config.screening import read_screening
from gateway.config.security import Profile, SecuritySettings, read_security
from gateway.config.settings import (
    AuthenticatorSettings,
    KeyholderSettings,
    KeySettings,
    PortalSettings,
    Settings,
    SiteSettings,
    StoreSettings,
    SubmissionSettings,
    TlsSettings,
    TrustedRelaySettings,
)
from gateway.config.sign_in import ToolSignIn
from gateway.domain.confirmation import MAX_DELAY_MINUTES

MAX_FILE_OCTETS = 1024 * 1024
MAX_PROCESSES = 64
MAX_DRAFT_DAYS = 90
_PORTAL = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?/?\Z")
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_ANY = re.compile(r".+\Z")
_TWICE = re.compile(r"Cannot (?:overwrite|declare)")
_NOT_TOML = "Correct that line; texts stand in quotes."


def load(path: Path) -> Settings:
    """Read `gateway.toml`. Raises ConfigProblems with everything that is wrong in it."""
    file = Path(path).absolute()
    problems: list[Problem] = []
    data = _parse(file, problems)
    if problems:
        raise ConfigProblems(problems)
    root = Table(data, "", file, problems)
    settings = _settings(root, file)
    root.close()
    if problems:
        raise ConfigProblems(problems)
    return settings


def _parse(file: Path, problems: list[Problem]) -> Mapping[str, object]:
    try:
        with file.open("rb") as stream:
            return tomllib.loads(stream.read(MAX_FILE_OCTETS).decode("utf-8"))
    except FileNotFoundError:
        do = 'Name it by --config PATH, or make a new one: "gateway init FOLDER".'
        problems.append(Problem(str(file), "", "there is no such file.", do))
    except OSError as error:
        problems.append(Problem(str(file), "", f"cannot be read: {error.strerror}.", "Check who owns it and its mode."))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        what = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8 text"
        do = "A key or a table may stand there once: keep one." if _TWICE.match(what) else _NOT_TOML
        problems.append(Problem(str(file), "", f"is not TOML: {what}.", do))
    return {}


def _settings(root: Table, file: Path) -> Settings:
    site = root.table("site", _site)
    tls = root.table("tls", _tls)
    keys = root.table("keys", _keys)
    relays = root.named("relay", read_relay)
    security, authenticator = root.table("authenticator", lambda table: _signing_in(root, table, site))

    def submission(table: Table) -> SubmissionSettings:
        return _submission(table, site, tls, _sign_in(table, security, authenticator), relays)

    return Settings(
        file=file,
        site=site,
        programmes=root.table("programmes", lambda table: _programmes(table, file.parent)),
        store=root.table("store", lambda table: _store(table, site)),
        keys=keys,
        security=security,
        keyholder=root.table("keyholder", lambda table: _keyholder(table, site)),
        authenticator=authenticator,
        submission=root.table("submission", submission),
        mx=root.table("mx", lambda table: read_mx(table, site, tls)) if root.has("mx") else None,
        fax=root.table("fax", lambda table: read_fax_table(table, site, tls)) if root.has("fax") else None,
        guard=root.table("guard", read_guard) if root.has("guard") else None,
        notifier=root.table("notifier", lambda table: read_notifier(table, site, keys.folder)),
        portal=root.table("portal", lambda table: _portal(table, tls)),
        full_copies=root.table("full_copies", lambda table: read_full_copies(table, keys.folder, security.sealing)),
        screening=root.table("screening", read_screening),
        tls=tls,
        log=root.table("log", _log),
    )


def _site(table: Table) -> SiteSettings:
    portal = table.text("portal_url", None, _PORTAL, 'the portal\'s address: "https://host/", nothing after it')
    return SiteSettings(
        name=table.text("name"),
        domain=table.text("domain", None, HOST, HOST_SHAPE),
        portal_url=portal if portal.endswith("/") else f"{portal}/",
        environment=table.text("environment", None, _ENVIRONMENT, 'one lower-case word: "production", "trial", …'),
        employee_domains=table.texts("employee_domains", (), HOST, HOST_SHAPE),
        data=table.path("data", "data"),
        run=table.path("run", "run"),
    )


def _programmes(table: Table, base: Path) -> tuple[Path, ...]:
    folders: list[Path] = []
    for name in table.texts("use", ("cwa",), _ANY, 'the name of a shipped programme or "./folder" of your own'):
        folder = base / name if "/" in name else resources.programmes_folder() / name
        if not (folder / "programme.toml").is_file():
            shipped = sorted(one.name for one in resources.programmes_folder().iterdir() if one.is_dir())
            what = f'names "{name}", and there is no programme.toml in {folder}.'
            table.complain("use", what, f"Shipped: {', '.join(shipped)}; a folder of your own is written with a slash.")
        folders.append(folder)
    if not folders:
        table.complain("use", "names no programme.", 'A gateway runs at least one: use = ["cwa"].')
    return tuple(folders)


def _store(table: Table, site: SiteSettings) -> StoreSettings:
    return StoreSettings(
        url=_database_url(table, "url", site.data / "gateway.db"),
        blobs=table.path("blobs", site.data / "blobs"),
        reserve_octets=table.size("reserve", "64 MiB", 0),
        readers=table.whole("readers", 4, 1, 64),
    )


def _database_url(table: Table, key: str, default: Path) -> str:
    text = table.text(key, f"sqlite:///{default}")
    advice = (
        'Give "sqlite:////folder/file.db" or "postgresql+psycopg://role@host/database" (its password: in ~/.pgpass).'
    )
    url = urlsplit(text)
    file = url.path[1:]
    if not url.scheme:
        table.complain(key, "is not a database address.", advice)
    elif url.scheme not in ("sqlite", "postgresql+psycopg"):
        table.complain(key, "names a database that the gateway does not use.", advice)
    elif url.scheme == "sqlite" and file in ("", ":memory:"):
        table.complain(key, "names no file.", advice)
    if url.password or "password" in parse_qs(url.query):
        table.complain(key, "holds a password.", "Take it out and put it into ~/.pgpass or PGPASSFILE, mode 0600.")
    return f"sqlite:///{table.folder / file}" if url.scheme == "sqlite" else text


def _keys(table: Table) -> KeySettings:
    return KeySettings(folder=table.path("folder", "keys"), passphrase_file=table.maybe_path("passphrase_file"))


def _keyholder(table: Table, site: SiteSettings) -> KeyholderSettings:
    return KeyholderSettings(
        socket=table.path("socket", site.run / "keyholder.sock"),
        operator_socket=table.path("operator_socket", site.run / "keyholder-operator.sock"),
        guard_socket=table.path("guard_socket", site.run / "keyholder-guard.sock"),
        store_url=_database_url(table, "store_url", site.data / "keyholder" / "keyholder.db"),
        operators=table.users("operators"),
        session_per_minute=table.whole("session_per_minute", 60, 1, 100_000),
        person_per_day=table.whole("person_per_day", 1000, 1, 10_000_000),
    )


def _signing_in(root: Table, table: Table, site: SiteSettings) -> tuple[SecuritySettings, AuthenticatorSettings]:
    """Read two tables together: how long a sign-in lasts stands in one, its bounds come from the other's profile."""
    return root.table("security", lambda security: read_security(security, table)), _authenticator(table, site)


def _authenticator(table: Table, site: SiteSettings) -> AuthenticatorSettings:
    second_factor = table.flag("second_factor", default=True)
    if not second_factor and not site.is_trial:
        table.complain("second_factor", "is off.", "In production everyone signs in with a code beside the password.")
    providers = table.named("providers", read_provider)
    if sum(one.mail is not None for one in providers) > 1:
        what = "has more than one whose tokens mail tools sign in with."
        table.complain("providers", what, "Leave the table mail to one of them.")
    return AuthenticatorSettings(
        socket=table.path("socket", site.run / "authenticator.sock"),
        operator_socket=table.path("operator_socket", site.run / "authenticator-operator.sock"),
        operators=table.users("operators"),
        second_factor=second_factor,
        providers=providers,
        codes=table.table("codes", read_codes),
    )


def _submission(
    table: Table,
    site: SiteSettings,
    tls: TlsSettings,
    sign_in: ToolSignIn,
    relays: tuple[TrustedRelaySettings, ...],
) -> SubmissionSettings:
    refuse_old_place(table)
    certificate, key = read_certificate(table, tls)
    starttls = table.listens("starttls", ("0.0.0.0:587",) if sign_in.is_offered else ())
    implicit = table.listens("tls", ("0.0.0.0:465",) if sign_in.is_offered else ())
    lmtp, lmtp_users = table.maybe_path("lmtp"), table.users("lmtp_users")
    if lmtp is not None and not lmtp_users:
        table.complain("lmtp_users", "names nobody.", 'Name the mail system\'s user: lmtp_users = ["postfix"].')
    if not sign_in.is_offered:
        _hold_without_sign_in(table, is_open=bool(starttls or implicit), other=bool(relays or lmtp))
    elif not starttls and not implicit:
        table.complain("tls", "and starttls are both empty.", "Give at least one address to listen on.")
    return SubmissionSettings(
        hostname=table.text("hostname", site.domain, HOST, HOST_SHAPE),
        processes=table.whole("processes", 0, 0, MAX_PROCESSES),
        starttls=starttls,
        tls=implicit,
        lmtp=lmtp,
        lmtp_users=lmtp_users,
        certificate=certificate,
        key=key,
        max_message_octets=table.size("max_message", "150 MiB", 64 * 1024),
        proxies=table.networks("proxies"),
        xclient=table.networks("xclient"),
        limits=table.table("limits", lambda inner: read_limits(inner, "4096 MiB")),
        relays=relays,
        sign_in=sign_in,
        names_required=table.flag("names_required", default=False),
        release_delay_minutes=table.whole("release_delay_minutes", 0, 0, MAX_DELAY_MINUTES),
        draft_days=table.whole("draft_days", 14, 0, MAX_DRAFT_DAYS),
    )


def _sign_in(table: Table, security: SecuritySettings, authenticator: AuthenticatorSettings) -> ToolSignIn:
    """Put together by what mail tools sign in: three tables say so."""
    with_tokens = [(one.issuer, one.mail) for one in authenticator.providers if one.mail is not None]
    issuer, tokens = with_tokens[0] if with_tokens else ("", None)
    strict = security.profile is Profile.PUB1075
    certificates = None
    if table.has("certificates"):
        certificates = table.table("certificates", lambda own: read_client_certificates(own, must_look_up=strict))
    return ToolSignIn(security.app_passwords, issuer, tokens, certificates)


def _hold_without_sign_in(table: Table, *, is_open: bool, other: bool) -> None:
    """Without any way to sign in at 587 and 465 those doors stay shut, and mail comes another way."""
    if is_open:
        what = "or tls is open, and there is nothing to sign in by: app passwords are off."
        table.complain("starttls", what, "Leave both out, or let mail tools sign in by access tokens or certificates.")
    if not other:
        do = "Name a relay that vouches for its senders, [relay.NAME], or a socket: lmtp."
        table.complain(
            "lmtp", "and [relay.NAME] are missing: with app passwords off employees' mail has no way in.", do
        )


def _portal(table: Table, tls: TlsSettings) -> PortalSettings:
    certificate, key = read_certificate(table, tls)
    listen = table.listens("listen", ("0.0.0.0:443",), "0.0.0.0:443")
    return PortalSettings(
        listen=listen,
        certificate=certificate,
        key=key,
        max_upload_octets=table.size("max_upload", "150 MiB", 64 * 1024),
        smime_anchors=table.maybe_path("smime_anchors"),
        openpgp_home=table.maybe_path("openpgp_home"),
        claim_minutes=table.whole("claim_minutes", 15, 1, 240),
    )


def _tls(table: Table) -> TlsSettings:
    return TlsSettings(
        certificate=table.path("certificate", "tls/certificate.pem"), key=table.path("key", "tls/key.pem")
    )


def _log(table: Table) -> LogSettings:
    return LogSettings(
        level=table.choice("level", "info", ("debug", "info", "warning", "error")),
        format=table.choice("format", "auto", ("auto", "json", "console")),
    )
