"""Who may do what: one pure function, `may`, over rows that carry the keyholder's signature. No other place decides.

Two sides stand in a case. The *office*: employees assigned to it, alone or by a team. The *other side*: designated
users of the agreements that cover it. While an employee is absent their deputy stands where they do, and no deputy of
the deputy. A right to *act* reads and writes; a right to *see* reads only. What a person is to a thing at one instant
is a set of capacities; what each capacity may do is one table, `GRANTS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gateway.domain.enrolment import AgreementState, PlaceState


class Side(StrEnum):
    """The side of a case a message comes from. Nobody stands on the last one: it marks unverified outside mail."""

    OFFICE = "office"
    CORRESPONDENT = "correspondent"
    OUTSIDE = "outside"


class Right(StrEnum):
    """What a designated user may do in a case."""

    ACT = "act"
    SEE = "see"


class Role(StrEnum):
    """What an employee may do beside corresponding in their own cases."""

    EMPLOYEE = "employee"
    ENROLLER = "enroller"
    ADMINISTRATOR = "administrator"


class Verb(StrEnum):
    """What can be asked for. To tend a case is to care that its notices arrive; to work the tray, to see what came from
    outside and waits for a place, and to give it one; to place a draft, to choose the case of one's own message.
    """

    READ = "read"
    WRITE = "write"
    READ_AS_RECEIVED = "read-as-received"
    TEND = "tend"
    WITHDRAW = "withdraw"
    FILE = "file"
    WORK_TRAY = "work-tray"
    STATE_PURPOSE = "state-purpose"
    PLACE_DRAFT = "place-draft"
    NAME_DEPUTY = "name-deputy"
    ENROL = "enrol"
    CONFIRM = "confirm"
    KEEP_SIGN_IN = "keep-sign-in"
    KEEP_APP_PASSWORDS = "keep-app-passwords"
    KEEP_COPY_KEY = "keep-copy-key"
    ADMINISTER = "administer"
    APPOINT_ADMINISTRATORS = "appoint-administrators"


class Capacity(StrEnum):
    """What somebody is to a thing, now."""

    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    ENROLLER = "enroller"
    OF_THE_CASE = "employee of the case"
    DEPUTY = "deputy of an employee of the case"
    WITH_PURPOSE = "employee with a stated purpose"
    ACTING = "designated user who may act"
    SEEING = "designated user who may see"
    ONESELF = "the person concerned"
    ONESELF_OFFICE = "the employee concerned"


_V = Verb
GRANTS: Mapping[Capacity, frozenset[Verb]] = MappingProxyType(
    {
        Capacity.OPERATOR: frozenset(
            {_V.FILE, _V.WORK_TRAY, _V.ENROL, _V.ADMINISTER, _V.APPOINT_ADMINISTRATORS, _V.PLACE_DRAFT}
        ),
        Capacity.ADMINISTRATOR: frozenset({_V.FILE, _V.WORK_TRAY, _V.ENROL, _V.ADMINISTER}),
        Capacity.ENROLLER: frozenset({_V.WORK_TRAY, _V.ENROL}),
        Capacity.OF_THE_CASE: frozenset({_V.READ, _V.WRITE, _V.READ_AS_RECEIVED, _V.TEND, _V.WITHDRAW, _V.FILE}),
        Capacity.DEPUTY: frozenset({_V.READ, _V.WRITE, _V.READ_AS_RECEIVED, _V.TEND, _V.WITHDRAW}),
        Capacity.WITH_PURPOSE: frozenset({_V.READ, _V.READ_AS_RECEIVED}),
        Capacity.ACTING: frozenset({_V.READ, _V.WRITE}),
        Capacity.SEEING: frozenset({_V.READ}),
        Capacity.ONESELF: frozenset({_V.KEEP_SIGN_IN, _V.CONFIRM}),
        Capacity.ONESELF_OFFICE: frozenset(
            {
                _V.KEEP_SIGN_IN,
                _V.KEEP_APP_PASSWORDS,
                _V.KEEP_COPY_KEY,
                _V.STATE_PURPOSE,
                _V.NAME_DEPUTY,
                _V.PLACE_DRAFT,
            }
        ),
    }
)
"""What each capacity may do. An operator reads no case: no session, no opening."""


_CHANGES = frozenset({Verb.WRITE, Verb.WITHDRAW, Verb.FILE})


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant (inclusive) to another (exclusive), in microseconds; None is open on that side."""

    from_us: int | None = None
    until_us: int | None = None

    def holds(self, now_us: int) -> bool:
        """Tell whether `now` lies in it."""
        return in_force(now_us, self.from_us, self.until_us)


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A row: the right that a form gives, for which cases of the agreement (None: all), how long, and if revoked."""

    right: Right
    span: Span
    cases: frozenset[str] | None = None
    is_revoked: bool = False

    def covers(self, case_id: str, now_us: int) -> bool:
        """Tell whether it gives its right in a case now."""
        return not self.is_revoked and self.span.holds(now_us) and (self.cases is None or case_id in self.cases)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Rows: an agreement's state (None: made by an operator without a form), its end, and the cases it covers."""

    id: str
    covers: tuple[tuple[str, Span], ...]
    state: AgreementState | None = None
    span: Span = Span()

    def gives_rights(self, now_us: int) -> bool:
        """Tell whether designated users of it can have access now."""
        return (self.state is None or self.state.gives_rights) and self.span.holds(now_us)


@dataclass(frozen=True, slots=True)
class Place:
    """Rows: a person's place in one agreement; `needs` is true where an authorisation must stand beside it.

    From `due_us` on it gives nothing until somebody has confirmed it.
    """

    agreement: Agreement
    right: Right
    span: Span
    state: PlaceState | None = None
    needs: bool = False
    authorisations: tuple[Authorisation, ...] = ()
    due_us: int | None = None

    def right_in(self, case_id: str, now_us: int) -> Right | None:
        """Return the right in a case now, the weaker of the place's and its strongest authorisation's, or None."""
        is_due = self.due_us is not None and self.due_us <= now_us
        if is_due or not self.span.holds(now_us) or self.state not in {None, PlaceState.ACTIVE}:
            return None
        covered = any(one == case_id and span.holds(now_us) for one, span in self.agreement.covers)
        if not covered or not self.agreement.gives_rights(now_us):
            return None
        if not self.needs:
            return self.right
        given = strongest(one.right for one in self.authorisations if one.covers(case_id, now_us))
        return self.right if given is Right.ACT else given


@dataclass(frozen=True, slots=True)
class Holder:
    """Everything that rows say of one person. `visits` are cases they stated a purpose for; `stands_in_for` are those
    whose deputy they are, with what rows say of these themselves, and from when until when.

    The span of a role ends, too, where it has not been confirmed in time.
    """

    person_id: str
    side: Side
    programme: str
    is_ended: bool = False
    roles: tuple[tuple[Role, Span], ...] = ()
    assignments: tuple[tuple[str, Span], ...] = ()
    visits: tuple[tuple[str, Span], ...] = ()
    places: tuple[Place, ...] = ()
    stands_in_for: tuple[tuple[Holder, Span], ...] = ()

    def has(self, role: Role, now_us: int) -> bool:
        """Tell whether this is an employee with a role now."""
        held = any(one is role and span.holds(now_us) for one, span in self.roles)
        return held and self.side is Side.OFFICE and not self.is_ended


class LocalOperator:
    """Who asks on the operator's socket: nobody's row, the kernel's word."""


OPERATOR = LocalOperator()


@dataclass(frozen=True, slots=True)
class Thing:
    """What a verb is asked for: a case, a person (`person_id`), or a programme as a whole."""

    programme: str
    case_id: str | None = None
    is_open: bool = True
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's place in one case at one instant."""

    person_id: str
    case_id: str
    side: Side
    right: Right
    is_deputy: bool = False

    @property
    def capacity(self) -> Capacity:
        """What it makes of the person."""
        if self.is_deputy:
            return Capacity.DEPUTY
        if self.side is Side.OFFICE:
            return Capacity.OF_THE_CASE if self.right is Right.ACT else Capacity.WITH_PURPOSE
        return Capacity.ACTING if self.right is Right.ACT else Capacity.SEEING

    def may(self, verb: Verb, *, is_open: bool = True) -> bool:
        """Tell whether this standing alone allows a verb in its case."""
        return _allowed({self.capacity}, verb, is_open=is_open)


def may(person: Holder | LocalOperator, verb: Verb, thing: Thing, now_us: int) -> bool:
    """Tell whether a person may do a verb on a thing now. What is absent is asked for as what is forbidden."""
    return _allowed(capacities(person, thing, now_us), verb, is_open=thing.is_open)


def capacities(person: Holder | LocalOperator, thing: Thing, now_us: int) -> set[Capacity]:
    """Return what a person is to a thing now; of another programme, or ended: nothing."""
    if isinstance(person, LocalOperator):
        return {Capacity.OPERATOR}
    if person.is_ended or thing.programme != person.programme:
        return set()
    found: set[Capacity] = set()
    if person.side is Side.OFFICE:
        found |= {_OF_ROLE[role] for role in _OF_ROLE if person.has(role, now_us)}
    if thing.person_id == person.person_id:
        found.add(Capacity.ONESELF_OFFICE if person.side is Side.OFFICE else Capacity.ONESELF)
    place = None if thing.case_id is None else standing_in(person, thing.case_id, now_us)
    return found if place is None else found | {place.capacity}


def standing_in(person: Holder, case_id: str, now_us: int) -> Standing | None:
    """Return a person's place in a case now, the strongest where there are several, or None."""
    if person.is_ended:
        return None
    if person.side is Side.OFFICE:
        return _standing_of_employee(person, case_id, now_us)
    right = strongest(place.right_in(case_id, now_us) for place in person.places)
    return None if right is None else Standing(person.person_id, case_id, Side.CORRESPONDENT, right)


def is_employed(roles: Iterable[tuple[Role, Span]], now_us: int) -> bool:
    """Tell whether roles leave somebody an employee: one holds now, or there never was any."""
    spans = [span for _, span in roles]
    return not spans or any(span.holds(now_us) for span in spans)


def strongest(rights: Iterable[Right | None]) -> Right | None:
    """Return the strongest of several rights, or None when there is none."""
    found = set(rights)
    return Right.ACT if Right.ACT in found else Right.SEE if Right.SEE in found else None


def in_force(now_us: int, from_us: int | None, until_us: int | None) -> bool:
    """Tell whether `now` lies in [from, until); None is open on that side."""
    return (from_us is None or from_us <= now_us) and (until_us is None or now_us < until_us)


_OF_ROLE = MappingProxyType({Role.ADMINISTRATOR: Capacity.ADMINISTRATOR, Role.ENROLLER: Capacity.ENROLLER})


def _has(cases: Iterable[tuple[str, Span]], case_id: str, now_us: int) -> bool:
    return any(one == case_id and span.holds(now_us) for one, span in cases)


def _standing_of_employee(person: Holder, case_id: str, now_us: int) -> Standing | None:
    """Return an employee's own place, else that of somebody they stand in for, else one by a stated purpose."""
    if not is_employed(person.roles, now_us):
        return None
    if _has(person.assignments, case_id, now_us):
        return Standing(person.person_id, case_id, Side.OFFICE, Right.ACT)
    if any(span.holds(now_us) and _is_assigned(one, case_id, now_us) for one, span in person.stands_in_for):
        return Standing(person.person_id, case_id, Side.OFFICE, Right.ACT, is_deputy=True)
    if _has(person.visits, case_id, now_us):
        return Standing(person.person_id, case_id, Side.OFFICE, Right.SEE)
    return None


def _is_assigned(absent: Holder, case_id: str, now_us: int) -> bool:
    """Tell whether a case is an absent employee's own: whom they stand in for themselves does not count."""
    own = is_employed(absent.roles, now_us) and not absent.is_ended
    return own and _has(absent.assignments, case_id, now_us)


def _allowed(found: Iterable[Capacity], verb: Verb, *, is_open: bool) -> bool:
    """The table's word. What is closed is read and no more written to."""
    return any(verb in GRANTS[capacity] for capacity in found) and (is_open or verb not in _CHANGES)
