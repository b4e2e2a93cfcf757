"""The demo's people: invented, with what they sign in and send mail with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class DemoPerson:
    """An invented person: sign-in and mail credentials in clear, which only a demo keeps."""

    name: str
    username: str
    address: str
    office: bool
    id: str = ""
    password: str = field(default="", repr=False)
    seed: str = field(default="", repr=False)
    app_password: str = field(default="", repr=False)
    last_code_at: int = 0


def invented_people() -> dict[str, DemoPerson]:
    """Return the people of the story, none of whom exists."""
    people = (
        DemoPerson("Dana Whitfield", "dana", "dana.whitfield@agency.example", office=True),
        DemoPerson("Eve Lindqvist", "eve", "eve.lindqvist@agency.example", office=True),
        DemoPerson("Ines Carvalho", "ines", "ines@tour-agency.example", office=False),
        DemoPerson("Raul Okafor", "raul", "raul@counsel.example", office=False),
    )
    return {one.username: one for one in people}
