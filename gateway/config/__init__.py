"""`gateway.toml` as frozen settings: every problem of the file in one report, secrets named by path only.

`load(path)` reads and checks the file; `file_problems(settings)` looks at the files that it names.
"""

from __future__ import annotations

from gateway.config.fax import FaxMailboxSettings, FaxServerSettings, FaxSettings
from gateway.config.files import file_problems, require_private
from gateway.config.loading import load
from gateway.config.log import LogSettings
from gateway.config.mx import CLEAN_CONSEQUENCES, CONSEQUENCES, consequence
from gateway.config.organisation import OrganisationSettings
from gateway.config.problems import ConfigProblems, Problem
from gateway.config.security import Profile, Sealing, SecuritySettings, consequences, in_force
from gateway.config.settings import (
    PROGRAMS,
    AuthenticatorSettings,
    Clean,
    DirectSettings,
    DkimSettings,
    KeyholderSettings,
    KeySettings,
    Listen,
    MxSettings,
    NotifierSettings,
    PortalSettings,
    Position,
    RelaySettings,
    RelayTls,
    ScreeningLimits,
    ScreeningSettings,
    Settings,
    SiteSettings,
    SmimeSettings,
    StoreSettings,
    SubmissionLimits,
    SubmissionSettings,
    Tainted,
    TlsSettings,
    TrustedRelaySettings,
)
from gateway.config.sign_in import ClientCertificateSettings, CodeSettings, ProviderSettings, ToolSignIn

__all__ = [
    "CLEAN_CONSEQUENCES",
    "CONSEQUENCES",
    "PROGRAMS",
    "AuthenticatorSettings",
    "Clean",
    "ClientCertificateSettings",
    "CodeSettings",
    "ConfigProblems",
    "DirectSettings",
    "DkimSettings",
    "FaxMailboxSettings",
    "FaxServerSettings",
    "FaxSettings",
    "KeySettings",
    "KeyholderSettings",
    "Listen",
    "LogSettings",
    "MxSettings",
    "NotifierSettings",
    "OrganisationSettings",
    "PortalSettings",
    "Position",
    "Problem",
    "Profile",
    "ProviderSettings",
    "RelaySettings",
    "RelayTls",
    "ScreeningLimits",
    "ScreeningSettings",
    "Sealing",
    "SecuritySettings",
    "Settings",
    "SiteSettings",
    "SmimeSettings",
    "StoreSettings",
    "SubmissionLimits",
    "SubmissionSettings",
    "Tainted",
    "TlsSettings",
    "ToolSignIn",
    "TrustedRelaySettings",
    "consequence",
    "consequences",
    "file_problems",
    "in_force",
    "load",
    "require_private",
]
