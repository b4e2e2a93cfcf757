"""Every topic of the portal, built of the same parts. The order is that in which routes are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.routing import Route

from gateway.authenticator.client import AuthenticatorClient
from gateway.domain.clock import Clock
from gateway.domain.layout import joined
from gateway.domain.specimen import Specimens
from gateway.keyholder.client import KeyholderClient
from gateway.letters.wording import Letters
from gateway.portal.absence import AbsencePage
from gateway.portal.account import AccountPages
from gateway.portal.cases import CasePages
from gateway.portal.cover_sheets import CoverSheets
from gateway.portal.desk.agreement import EnrolmentPages
from gateway.portal.desk.authorising import AuthorisingPages
from gateway.portal.desk.documents import Documents
from gateway.portal.desk.enrolling import EnrollingPages
from gateway.portal.desk.entry import Desk
from gateway.portal.desk.item import ItemPages
from gateway.portal.desk.items import Items
from gateway.portal.desk.late_recognition import LateRecognition
from gateway.portal.desk.letters import LetterPages
from gateway.portal.desk.listing import ListingPages
from gateway.portal.desk.reports import ReportPages
from gateway.portal.desk.tray import TrayPages
from gateway.portal.desk.users import UserPages
from gateway.portal.downloads import Downloads
from gateway.portal.drafts import DraftPages
from gateway.portal.full_copy import FullCopyPage, KeyDesk
from gateway.portal.genuine import GenuinePage
from gateway.portal.linking import LinkingPages
from gateway.portal.mail_tool import MailToolPages
from gateway.portal.notices import NoticePages
from gateway.portal.own_agreements import OwnAgreementPages
from gateway.portal.own_sign_in import OwnSignInPages
from gateway.portal.page_images import PageImages
from gateway.portal.pages import Pages
from gateway.portal.parcelling import Parcelling
from gateway.portal.providers import ProviderPages
from gateway.portal.public import PublicPages
from gateway.portal.purpose import PurposePage
from gateway.portal.reading import ReadingPages
from gateway.portal.refusals import RefusalPage
from gateway.portal.releasing import ReleasePages
from gateway.portal.replying import ReplyPages
from gateway.portal.sign_in import SignIn
from gateway.portal.signatures import Signatures
from gateway.portal.terms import TermsPages
from gateway.portal.time_left import TimeLeftFrame
from gateway.portal.tries import Tries
from gateway.portal.uploads import UploadLimits
from gateway.portal.vault import Vault
from gateway.portal.visitors import Visitors
from gateway.portal.withdrawing import WithdrawPages
from gateway.portal.wording import WordingPages
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database


class Topic(Protocol):
    """Pages that belong together."""

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What topics are built of."""

    pages: Pages
    visitors: Visitors
    vault: Vault
    database: Database
    blobs: BlobFolder
    keyholder: KeyholderClient
    authenticator: AuthenticatorClient
    authority: Ed25519PublicKey
    deposit_key: bytes
    wake_notifier: Callable[[], None]
    limits: UploadLimits
    specimens: Specimens
    signatures: Signatures
    recheck_seconds: float
    clock: Clock
    parcelling: Parcelling | None = None
    key_desk: KeyDesk | None = None


def topics_of(parts: Parts) -> Iterable[Topic]:
    """Return every topic."""
    return (*_for_anybody(parts), *_cases(parts), *_account(parts), *_desk(parts))


def _for_anybody(of: Parts) -> Iterable[Topic]:
    sign_in = SignIn(of.pages, of.visitors, of.authenticator, of.keyholder)
    notices = NoticePages(of.pages, of.visitors, of.database, of.keyholder, of.authority, of.specimens, of.clock)
    tries = Tries(of.clock, per_address=600, together=1_200)
    return (
        PublicPages(of.pages, of.database),
        GenuinePage(of.pages, of.visitors, of.database, notices, Tries(of.clock)),
        RefusalPage(of.pages, of.database, Tries(of.clock)),
        sign_in,
        ProviderPages(of.pages, sign_in, of.authenticator, of.keyholder, tries),
        TermsPages(of.pages, of.visitors, of.keyholder),
        TimeLeftFrame(of.pages, of.visitors, of.clock),
        notices,
    )


def _cases(of: Parts) -> Iterable[Topic]:
    return (
        PurposePage(of.pages, of.visitors, of.vault, of.keyholder),
        CasePages(of.pages, of.visitors, of.vault, of.database, of.authority, of.clock, of.wake_notifier),
        ReplyPages(
            of.pages, of.visitors, of.vault, of.database, of.keyholder, of.blobs, of.authority, of.deposit_key,
            of.limits, of.clock, of.wake_notifier, of.parcelling, of.recheck_seconds,
        ),
        ReadingPages(of.pages, of.visitors, of.vault, of.signatures, of.limits),
        WithdrawPages(of.pages, of.visitors, of.vault, of.database, of.authority),
        ReleasePages(of.pages, of.visitors, of.vault, of.database, of.authority, of.clock, of.wake_notifier),
        DraftPages(
            of.pages, of.visitors, of.vault, of.database, of.keyholder, of.authority, of.clock, of.wake_notifier
        ),
        CoverSheets(
            of.pages, of.visitors, of.vault, of.database, of.authority, Letters(of.pages.site.environment)
        ),
        Downloads(of.visitors, of.vault, of.signatures, of.pages.site.domain, of.recheck_seconds),
    )  # fmt: skip


def _account(of: Parts) -> Iterable[Topic]:
    return (
        AccountPages(of.pages, of.visitors, of.database, of.keyholder, of.authenticator, of.clock),
        AbsencePage(of.pages, of.visitors, of.database, of.keyholder, of.authority, of.clock),
        FullCopyPage(
            of.pages, of.visitors, of.database, of.keyholder, of.authority, of.clock, of.wake_notifier, of.key_desk
        ),
        MailToolPages(of.pages, of.visitors, of.database, of.clock, of.wake_notifier),
        OwnSignInPages(of.pages, of.visitors, of.database, of.keyholder, of.authenticator, of.authority, of.clock),
        OwnAgreementPages(of.pages, of.visitors, of.database, of.keyholder, of.authority, of.clock),
        LinkingPages(of.pages, of.visitors, of.database, of.keyholder, of.authenticator, of.clock),
    )


def _desk(of: Parts) -> Iterable[Topic]:
    desk = Desk(of.pages, of.visitors, of.database, of.keyholder, of.authority, of.clock)
    documents = Documents(desk, of.blobs, PageImages(), of.recheck_seconds)
    layouts = joined(one.layouts for one in of.pages.programmes.values())
    items = Items(documents, LateRecognition(of.database, of.clock, layouts))
    return (
        TrayPages(desk, items),
        ItemPages(desk, items),
        LetterPages(desk, Letters(of.pages.site.environment)),
        EnrollingPages(desk, items),
        ListingPages(desk, documents),
        EnrolmentPages(desk, documents),
        UserPages(desk, of.authenticator),
        AuthorisingPages(desk, documents),
        documents,
        ReportPages(desk),
        WordingPages(of.pages, of.visitors, of.database, of.authority, of.specimens, of.clock, of.wake_notifier),
    )
