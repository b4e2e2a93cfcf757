"""The demo's people: invented, with what they sign in and send mail with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class DemoPerson:
    """An invented person: sign-in and mail credentials in clear, which only a demo keeps.

    `key` is what the demo calls them. `role` is an employee's; whoever is of the other side has the role that the
    papers give them. `wants_provider`: signs in at the demo's identity provider where there is one, and `issuer` says
    at which one they did. `waits` for whoever tries the demo: invited, and signed in by nobody of ours.
    """

    key: str
    name: str
    address: str
    office: bool
    role: str = ""
    telephone: str = ""
    wants_provider: bool = False
    waits: bool = False
    id: str = ""
    username: str = ""
    place: str = ""
    issuer: str = ""
    first_code: str = field(default="", repr=False)
    first_code_until: int = 0
    password: str = field(default="", repr=False)
    seed: str = field(default="", repr=False)
    app_password: str = field(default="", repr=False)
    last_code_at: int = 0


def invented_people() -> dict[str, DemoPerson]:
    """Return the people of the story, none of whom exists."""
    people = (
        DemoPerson("dana", "Dana Whitfield", "dana.whitfield@agency.example", office=True, role="employee"),
        DemoPerson("eve", "Eve Lindqvist", "eve.lindqvist@agency.example", office=True, role="employee"),
        DemoPerson("clara", "Clara Novak", "clara.novak@agency.example", office=True, role="enroller"),
        DemoPerson("ines", "Ines Carvalho", "ines@tour-agency.example", office=False, telephone="+1 202 555 0171"),
        DemoPerson(
            "raul",
            "Raul Okafor",
            "raul@counsel.example",
            office=False,
            telephone="+1 202 555 0172",
            wants_provider=True,
        ),
        DemoPerson(
            "noa", "Noa Lindgren", "noa@tour-agency.example", office=False, telephone="+1 202 555 0173", waits=True
        ),
    )
    return {one.key: one for one in people}
