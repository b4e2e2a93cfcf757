"""A whole house to test in: store, keyholder, authenticator and portal, all real, in one folder and one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import secrets
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pyotp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.authenticator import keys as authenticator_keys
from gateway.authenticator.client import AuthenticatorClient
from gateway.authenticator.client import OperatorClient as AuthenticatorOperator
from gateway.authenticator.code_sender import CodeSender
from gateway.authenticator.policy import Policy
from gateway.authenticator.server import AuthenticatorServer
from gateway.casework import correspondence
from gateway.casework.correspondence import Posting, Served
from gateway.casework.deposit import ReceivedDeposit, seal_received
from gateway.config import ClientCertificateSettings
from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.programme import Programme
from gateway.domain.summary import Summary
from gateway.identity.providers import Provider
from gateway.keyholder import keys as keyholder_keys
from gateway.keyholder.client import KeyholderClient
from gateway.keyholder.client import OperatorClient as KeyholderOperator
from gateway.keyholder.server import KeyholderServer
from gateway.mime.summary import read_facts
from gateway.portal.app import Portal
from gateway.portal.full_copy import KeyDesk
from gateway.portal.parcelling import Parcelling
from gateway.portal.signatures import Signatures
from gateway.portal.site import Outgoing, PortalSite, Way
from gateway.portal.uploads import UploadLimits
from gateway.programmes import load_programmes
from gateway.resources import programmes_folder
from gateway.store import cases, keyfiles
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.keystore import KeyStore
from tests.agreed import write_agreed
from tests.portal.specimens import shipped
from tests.tables import make_tables

PASSWORD = "correct horse battery staple 7"
DOMAIN = "gateway.example"
COUNTY = Path(__file__).parent.parent / "programmes" / "county"


class TestClock:
    """The machine's clock, moved forward by what a test wants: a code is good once in its half minute."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = dt.timedelta()
        self._stands_at: dt.datetime | None = None

    def __call__(self) -> dt.datetime:
        return (self._stands_at or dt.datetime.now(dt.UTC)) + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += dt.timedelta(seconds=seconds)

    @contextlib.contextmanager
    def standing(self) -> Iterator[None]:
        """Let it stand meanwhile, for what is to happen within a second on any machine."""
        self._stands_at = dt.datetime.now(dt.UTC)
        yield
        self._stands_at = None

    def begin_a_day(self, zone: ZoneInfo) -> None:
        """Go on to the next nine in the morning, so that no midnight comes in between."""
        tomorrow = self().astimezone(zone).date() + dt.timedelta(days=1)
        nine = dt.datetime.combine(tomorrow, dt.time(9), zone)
        self.ahead += nine.astimezone(dt.UTC) - self()


@dataclass(frozen=True)
class Someone:
    """A person of the house, and what they sign in with."""

    id: str
    name: str
    address: str
    username: str
    seed: str


@dataclass(frozen=True)
class Rules:
    """What a house asks of sign-ins, what it has people acknowledge before one, how long employees' messages wait, and
    what makes full copies.
    """

    policy: Policy = field(default_factory=Policy)
    banner: str = ""
    delay_minutes: int = 0
    parcelling: Parcelling | None = None
    key_desk: KeyDesk | None = None


@dataclass
class House:
    """What tests reach into. `url` is the portal's address, `certificate` what a client trusts."""

    folder: Path
    clock: TestClock
    database: Database
    blobs: BlobFolder
    keyholder: KeyholderClient
    operator: KeyholderOperator
    authenticator_operator: AuthenticatorOperator
    portal: Portal
    deposit_key: bytes
    certificate: Path
    woken: list[str]
    sign_in_server: AuthenticatorServer
    programmes: Mapping[str, Programme]
    people: dict[str, Someone] = field(default_factory=dict)
    stops: dict[str, asyncio.Event] = field(default_factory=dict)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.portal.port}"

    async def stop(self, program: str) -> None:
        """Stop one program of the house; the others go on."""
        self.stops[program].set()
        await self.tasks[program]

    async def add_employee(self, name: str, programme: str = "cwa", role: str = "employee") -> Someone:
        username = name.split(maxsplit=1)[0].lower()
        address = f"{username}@agency.example"
        made = await self.operator.enact(
            "add_employee", programme=programme, name=name, address=address, username=username, role=role
        )
        return await self._with_credentials(made["person"], name, address, username)

    async def add_user(
        self,
        name: str,
        case_ids: list[str],
        right: str = "act",
        programme: str = "cwa",
        *,
        agreed: bool = True,
    ) -> Someone:
        username = name.split(maxsplit=1)[0].lower()
        address = f"{username}@firm.example"
        made = await self.operator.enact(
            "add_designated_user",
            programme=programme,
            cases=case_ids,
            right=right,
            name=name,
            address=address,
            username=username,
        )
        someone = await self._with_credentials(made["person"], name, address, username)
        if agreed:
            await self.agree(someone)
        self.people[f"{username}/place"] = Someone(made["designated_user"], name, address, username, "")
        return someone

    async def agree(self, someone: Someone, terms: str = "", programme: str = "cwa") -> None:
        """Let it be so that somebody has agreed to the terms in force, or to others."""
        loaded = keyholder_keys.load(self.folder / "keys", keyholder_keys.FileKeyProvider(self.folder / "keys"))
        rules = self.programmes.get(programme) or next(iter(self.programmes.values()))
        await self.database.run(write_agreed, loaded.authority, someone.id, rules, terms)

    async def open_case(self, person: Someone, programme: str = "cwa", series: str = "SM") -> tuple[str, str]:
        made = await self.operator.enact("open_case", programme=programme, series=series, trial=True, person=person.id)
        return made["case"], made["reference"]

    async def receive(self, author: Someone, case_id: str, to: list[Someone], octets: bytes) -> str:
        """Put a mail into a case as the submission door does; return its reference."""
        deposit = ReceivedDeposit(self.blobs)
        for start in range(0, len(octets), 10_000):
            deposit.write(octets[start : start + 10_000])
        received = await asyncio.to_thread(deposit.finish)
        facts = read_facts(received.structure)
        key = await self.database.read(cases.case_sealing_key, self.authority, case_id)
        summary = Summary(
            subject=facts.subject,
            author=facts.from_[0],
            to=facts.to,
            cc=facts.cc,
            bcc=facts.bcc,
            date_us=to_microseconds(facts.date) if facts.date else None,
            message_id=facts.message_id,
            part_map=received.structure.part_map,
            notes=(),
            salt="",
            digest="",
        )
        posting = Posting(
            sealed=seal_received(received, summary, key, self.deposit_key),
            case_id=case_id,
            author_id=author.id,
            recipients=tuple(Served(one.id, "to") for one in to),
        )
        posted = await self.database.run(correspondence.post, self.authority, posting)
        return posted.reference

    @property
    def authority(self):  # noqa: ANN201
        return keyfiles.authority_public(self.folder / "keys")

    def code(self, someone: Someone) -> str:
        """A code that is good now. The clock goes on by a step first, since each code is good once."""
        self.clock.advance(30)
        return pyotp.TOTP(someone.seed).at(from_microseconds(to_microseconds(self.clock())))

    async def _with_credentials(self, person_id: str, name: str, address: str, username: str) -> Someone:
        password = await self.authenticator_operator.make_password(person_id, PASSWORD)
        totp = await self.authenticator_operator.make_totp(person_id)
        for kind, data in (("password", password), ("totp", totp.data)):
            await self.operator.enact("add_credential", person=person_id, kind=kind, label=kind, data=data)
        seed = parse_qs(urlsplit(totp.uri).query)["secret"][0]
        someone = Someone(person_id, name, address, username, seed)
        self.people[username] = someone
        return someone


@contextlib.asynccontextmanager
async def open_house(
    *,
    limits: UploadLimits | None = None,
    recheck_seconds: float = 4.0,
    environment: str = "trial",
    counties: bool = False,
    signatures: Signatures | None = None,
    providers: Callable[[str], list[Provider]] | None = None,
    ways: tuple[Way, ...] = (),
    sender: CodeSender | None = None,
    rules: Rules | None = None,
    certificates: ClientCertificateSettings | None = None,
) -> AsyncIterator[House]:
    """Build a house, run it, and leave nothing behind. `providers` are made when the portal's address is known."""
    folder = Path(tempfile.mkdtemp(prefix="house-"))
    try:
        async with _opened(
            folder,
            limits,
            recheck_seconds,
            environment,
            signatures,
            providers,
            ways,
            sender,
            rules or Rules(),
            counties=counties,
            certificates=certificates,
        ) as house:
            yield house
    finally:
        shutil.rmtree(folder)


@contextlib.asynccontextmanager
async def _opened(
    folder: Path,
    limits: UploadLimits | None,
    recheck_seconds: float,
    environment: str,
    signatures: Signatures | None,
    providers: Callable[[str], list[Provider]] | None,
    ways: tuple[Way, ...],
    sender: CodeSender | None,
    rules: Rules,
    *,
    counties: bool,
    certificates: ClientCertificateSettings | None,
) -> AsyncIterator[House]:
    keys = folder / "keys"
    keyholder_keys.generate(keys, None)
    url = f"sqlite:///{folder}/gateway.db"
    make_tables(url)
    clock = TestClock()
    database = Database(url, clock=clock)
    keystore = KeyStore(f"sqlite:///{folder}/keyholder.db", clock=clock)
    blobs = BlobFolder(folder / "blobs")
    authority = keyfiles.authority_public(keys)
    programmes = dict(load_programmes([COUNTY] if counties else [programmes_folder() / "cwa"]))
    keyholder = KeyholderServer(
        database,
        keystore,
        keyholder_keys.load(keys, keyholder_keys.FileKeyProvider(keys)),
        socket=folder / "keyholder.sock",
        operator_socket=folder / "keyholder-op.sock",
        programmes=programmes,
        clock=clock,
    )
    certificate = make_certificate(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, folder / "tls.key")
    woken: list[str] = []
    keyholder_client = KeyholderClient(folder / "keyholder.sock")
    authenticator_client = AuthenticatorClient(folder / "authenticator.sock")
    portal = Portal(
        listen=[("127.0.0.1", 0)],
        tls=tls,
        site=PortalSite(
            "Secure mail of the test house",
            environment,
            "https://localhost/",
            DOMAIN,
            ways,
            sender is not None,
            rules.banner,
            rules.policy.app_passwords,
            rules.policy.sunsets,
            delay_minutes=rules.delay_minutes,
            full_copies=rules.parcelling.permitted if rules.parcelling else frozenset(),
            outgoing=Outgoing(DOMAIN, 465, 587, rules.policy.app_passwords, tokens=True, certificates=True),
        ),
        programmes=programmes,
        database=database,
        blobs=blobs,
        keyholder=keyholder_client,
        authenticator=authenticator_client,
        authority=authority,
        deposit_key=keyfiles.deposit_key(keys),
        wake_notifier=lambda: woken.append("notifier"),
        limits=limits,
        signatures=signatures,
        specimens=shipped(programmes, environment, clock),
        recheck_seconds=recheck_seconds,
        clock=clock,
        parcelling=rules.parcelling,
        key_desk=rules.key_desk,
    )
    portal.bind()
    authenticator = AuthenticatorServer(
        database,
        authenticator_keys.load(keys),
        authority,
        socket=folder / "authenticator.sock",
        operator_socket=folder / "authenticator-op.sock",
        tick_seconds=0.001,
        providers=providers(f"https://localhost:{portal.port}") if providers else (),
        origin=f"https://localhost:{portal.port}",
        sender=sender,
        policy=rules.policy,
        certificates=certificates,
        clock=clock,
    )
    house = House(
        folder,
        clock,
        database,
        blobs,
        keyholder_client,
        KeyholderOperator(folder / "keyholder-op.sock"),
        AuthenticatorOperator(folder / "authenticator-op.sock"),
        portal,
        keyfiles.deposit_key(keys),
        certificate,
        woken,
        authenticator,
        programmes,
    )
    for name, program in (("keyholder", keyholder), ("authenticator", authenticator), ("portal", portal)):
        house.stops[name] = asyncio.Event()
        house.tasks[name] = asyncio.create_task(program.run(house.stops[name]))
    try:
        await asyncio.gather(keyholder.ready.wait(), authenticator.ready.wait())
        yield house
    finally:
        for client in (keyholder_client, authenticator_client, house.operator, house.authenticator_operator):
            await client.close()
        for name in ("portal", "authenticator", "keyholder"):
            await house.stop(name)
        database.close()
        keystore.close()


def make_certificate(folder: Path) -> Path:
    """A certificate for localhost, by name and by address, that lives a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(secrets.randbits(64))
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path = folder / "tls.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path
