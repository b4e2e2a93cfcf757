"""What this trade writes besides letters: contracts, riders, settlements, lists of people, works and equipment."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from benchmarks.screening import foreign, frames, numbers, people
from benchmarks.screening.grammar import expand
from benchmarks.screening.numbers import UPPER, digits, letters
from benchmarks.screening.parts import hexadecimal

Made = Callable[[Random], str]


def contract(rng: Random) -> str:
    """Clauses as lawyers write them: section numbers, sums, days, addresses."""
    act, buyer = people.act(rng), people.firm(rng)
    clauses = (
        f'This Agreement is made as of {people.day_text(rng, people.day(rng))} between {buyer}, {people.street(rng)}, {people.city(rng)} ("Purchaser") and {people.firm(rng)} f/s/o {act} ("Artist").',
        f"{rng.randint(1, 9)}.{rng.randint(1, 9)} Purchaser shall pay a guarantee of {people.money(rng)} plus {rng.randint(50, 90)}% of net receipts over {people.money(rng)}.",
        f"{rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 9)} A deposit of {rng.choice([10, 25, 50])}% is due no later than {people.day_text(rng, people.day(rng))}.",
        "Artist is responsible for its own taxes; where the law requires withholding, Purchaser withholds 30% unless a central withholding agreement is in effect.",
        f"Notices go to {people.street(rng)}, {people.city(rng)}, {letters(rng, 2)} {digits(rng, 5)}-{digits(rng, 4)}, telephone {people.telephone(rng)}.",
        f"Capacity {rng.randint(300, 22000)}; ticket prices {people.money(rng, 90)}, {people.money(rng, 150)} and {people.money(rng, 300)}.",
        f"This document has {rng.randint(4, 60)} pages and may be signed in counterparts. Document ID {hexadecimal(rng, 8).upper()}-{hexadecimal(rng, 4).upper()}-{hexadecimal(rng, 4).upper()}.",
        "Artist shall complete Form W-9 or Form W-8BEN, as applicable, before any payment is made.",
    )  # fmt: skip
    return "\n\n".join(rng.sample(clauses, rng.randint(3, len(clauses))))


def rider(rng: Random) -> str:
    channels = [
        f"{at}\t{rng.choice(['Kick', 'Snare', 'Bass DI', 'Gtr L', 'Vox', 'Keys', 'OH'])}\t{rng.choice(['SM58', 'SM57', 'MD421', 'DI', 'KM184', 'e602'])}\t{rng.randint(470, 690)}.{digits(rng, 3)} MHz"
        for at in range(1, rng.randint(6, 24))
    ]
    return "\n".join(["Ch\tSource\tMic\tFrequency", *channels])


def settlement(rng: Random) -> str:
    """A night's accounts: the house's, nobody's income."""
    rows = [
        f"{kind}\t{rng.randint(10, 9000)}\t{people.money(rng, 200)}\t{people.money(rng)}"
        for kind in ("Orchestra", "Balcony", "GA", "VIP", "Comps")
    ]
    tail = [
        f"{what}\t{people.money(rng)}"
        for what in ("Gross", "Sales tax", "Facility fee", "Stagehands", "Catering", "Insurance", "Net receipts")
    ]
    return "\n".join(
        [
            f"Settlement {people.venue(rng)}, {people.city(rng)}, {people.day_text(rng, people.day(rng))}",
            "Class\tSold\tPrice\tTotal",
            *rows,
            *tail,
        ]
    )


def rooming_list(rng: Random) -> str:
    rows = [
        f"{people.person(rng).name}\t{rng.choice(['SGL', 'DBL', 'TWN'])}\t{rng.randint(100, 2999)}\t{digits(rng, rng.choice([8, 9, 10]))}"
        for _ in range(rng.randint(3, 20))
    ]
    return "\n".join(["Guest\tRoom type\tRoom\tConfirmation", *rows])


def works(rng: Random) -> str:
    """Music works with the numbers that societies give: ISWC, IPI, ISRC, work and catalogue numbers."""
    rows = [
        f"{people.act(rng)}\tT-{digits(rng, 3)}.{digits(rng, 3)}.{digits(rng, 3)}-{digits(rng, 1)}\tIPI 00{digits(rng, 9)}\t{rng.choice(['US', 'GB', 'DE', 'FR'])}-{letters(rng, 3)}-{digits(rng, 2)}-{digits(rng, 5)}\t{digits(rng, 9)}"
        for _ in range(rng.randint(2, 12))
    ]
    return "\n".join(["Title\tISWC\tComposer\tISRC\tWork ID", *rows])


def equipment(rng: Random) -> str:
    """A carnet's general list: serial numbers, weights, values."""
    rows = [
        f"{at}\t{rng.choice(['Guitar', 'Amplifier', 'Console', 'Flight case', 'Snare drum', 'Bow', 'Racket bag'])}\tS/N {rng.choice([digits(rng, 9), letters(rng, 2) + digits(rng, 7), f'{digits(rng, 3)}-{digits(rng, 2)}-{digits(rng, 4)}'])}\t{rng.randint(1, 90)} kg\t{people.money(rng, 9000)}"
        for at in range(1, rng.randint(4, 18))
    ]
    return "\n".join(
        [
            f"ATA Carnet {rng.choice(['US', 'DE', 'GB'])}/{digits(rng, 3)}/{digits(rng, 6)}",
            "Item\tDescription\tSerial number\tWeight\tValue",
            *rows,
        ]
    )


def results(rng: Random) -> str:
    rows = [
        f"{at}.\t{people.person(rng).name}\t{rng.randint(1, 59)}:{rng.randint(10, 59)}.{digits(rng, 2)}\t{rng.randint(40, 99)}\tID {digits(rng, rng.choice([8, 9, 11]))}"
        for at in range(1, rng.randint(5, 20))
    ]
    return "\n".join(["Rank\tAthlete\tTime\tPoints\tLicence", *rows])


def one_time_code(rng: Random) -> str:
    code = digits(rng, rng.choice([4, 6, 6, 8]))
    return rng.choice(
        [
            f"{code} is your verification code. It expires in 10 minutes.",
            f"Your security code: {code}",
            f"Use {code} to sign in to the ticketing portal.",
            f"PIN for the stage door: {code}#",
            f"Ihr Bestätigungscode lautet {code}.",
        ]
    )


def registers(rng: Random) -> str:
    """Numbers of firms in public registers, as law and habit put them under letters."""
    return rng.choice([
        f"Amtsgericht {people.city(rng)}, HRB {digits(rng, rng.choice([5, 6]))}", f"Registered in England and Wales no. 0{digits(rng, 7)}", f"SIRET {digits(rng, 3)} {digits(rng, 3)} {digits(rng, 3)} 000{digits(rng, 2)}",
        f"D-U-N-S {digits(rng, 2)}-{digits(rng, 3)}-{digits(rng, 4)}", f"ABN {digits(rng, 2)} {digits(rng, 3)} {digits(rng, 3)} {digits(rng, 3)}", f"CNPJ {digits(rng, 2)}.{digits(rng, 3)}.{digits(rng, 3)}/0001-{digits(rng, 2)}",
        f"LEI {letters(rng, 18, '0123456789' + UPPER)}{digits(rng, 2)}", f"KvK {digits(rng, 8)}", f"BIC {letters(rng, 4)}DEFF", f"SWIFT: {letters(rng, 4)}US33", f"USCIS receipt EAC{digits(rng, 10)}",
        f"Insurance certificate {letters(rng, 3)}{digits(rng, 9)}", f"ISNI 0000 0001 {digits(rng, 4)} {digits(rng, 4)}", f"NAICS {digits(rng, 6)}", f"CUSIP {digits(rng, 6)}{letters(rng, 1)}{digits(rng, 2)}",
        f"Handelsregister CH-{digits(rng, 3)}.{digits(rng, 1)}.{digits(rng, 3)}.{digits(rng, 3)}-{digits(rng, 1)}", f"CIPC 20{digits(rng, 2)}/{digits(rng, 6)}/07", f"Licence PL{digits(rng, 6)}",
    ])  # fmt: skip


def press_release(rng: Random) -> str:
    act = people.act(rng)
    return expand(
        rng,
        "FOR IMMEDIATE RELEASE\n\n{act} [announce|return with|extend] {count} dates across North America. The tour opens at {venue} on {day} and [ends|closes] in {city}. "
        "Last year's run grossed {money} from {sold} tickets. [Presale|General sale] starts {day2} at 10:00.\n\nPress contact: {phone}",
        {"act": act, "count": str(rng.randint(4, 60)), "venue": people.venue(rng), "day": people.day_text(rng, people.day(rng)), "day2": people.day_text(rng, people.day(rng)), "city": people.city(rng),
         "money": people.money(rng, 900_000), "sold": f"{rng.randint(2_000, 900_000):,}", "phone": people.telephone(rng)},
    )  # fmt: skip


CLEAN: dict[str, Made] = {
    "contract": contract, "rider": rider, "settlement": settlement, "rooming list": rooming_list, "works": works, "equipment": equipment, "results": results, "one-time code": one_time_code, "registers": registers,
    "press release": press_release,
}  # fmt: skip


def crew_list(rng: Random) -> tuple[tuple[str, ...], ...]:
    """A list for visas or payment: names, and two or three columns of what must not be mailed."""
    columns = {
        "DOB": lambda: people.day_text(rng, people.birthday(rng)), "Passport no.": lambda: foreign.passport(rng).text, "SSN": lambda: numbers.ssn(rng).text, "ITIN": lambda: numbers.itin(rng).text,
        "SSN/ITIN": lambda: rng.choice([numbers.ssn, numbers.itin])(rng).text, "Tax ID": lambda: numbers.ssn(rng).text, "Nationality": lambda: people.person(rng).country, "Role": lambda: rng.choice(frames.ROLES),
    }  # fmt: skip
    head = [
        "Name",
        rng.choice(["Passport no.", "SSN", "ITIN", "SSN/ITIN", "Tax ID"]),
        *rng.sample(["DOB", "Nationality", "Role"], rng.randint(1, 3)),
    ]
    rows = [
        tuple(people.person(rng).name if name == "Name" else columns[name]() for name in head)
        for _ in range(rng.randint(2, 15))
    ]
    return (tuple(head), *rows)


def chat(rng: Random, label: str, value: str, who: str) -> str:
    """A transcript pasted into a mail."""
    hour = rng.randint(8, 20)
    lines = [f"[{hour}:{rng.randint(10, 29)}] Ana: {rng.choice(['still need the', 'whats the', 'pls send the', 'could u give me the'])} {label} of {who}", f"[{hour}:{rng.randint(30, 44)}] Ben: {rng.choice(['sec', 'one moment', 'looking', 'k'])}",
             f"[{hour}:{rng.randint(45, 59)}] Ben: {value}"]  # fmt: skip
    return "\n".join(lines)


def clause(rng: Random, label: str, value: str, who: str) -> str:
    """A contract's words about a person, with the number in them."""
    return expand(
        rng,
        '[WHEREAS|This engagement is between|Purchaser engages] {n} ("Artist"), [a citizen of|residing in] {city}, [holder of|identified by|with] {l} {v}, [agrees to perform|shall appear] at {venue} on {day}.',
        {
            "n": who,
            "city": people.city(rng),
            "l": label,
            "v": value,
            "venue": people.venue(rng),
            "day": people.day_text(rng, people.day(rng)),
        },
    )


def web_form(rng: Random, label: str, value: str, who: str) -> str:
    """What a form on a web site mails to its owner."""
    rows = [
        f"Name{rng.choice([': ', ' = '])}{who}",
        f"Email: {people.person(rng).address}",
        f"Phone: {people.telephone(rng)}",
        f"{label}: {value}",
        f"Message: {rng.choice(['please call me', 'as discussed', 'see above', ''])}",
    ]
    return "New submission\n" + "\n".join(rows)


_OPENERS = "[Hi again, |Quick one: |Per our call, |See below. |FYI, |Please note: |For your records, |Sorry for the wait, |Good news: |One more thing - |As promised, |To complete the file: |Update: |Answering your question, |Hello from the road, |]"
_OWNERS = "[{n}'s|{n}'s US|my|her|his|the artist's|our singer's|the drummer's|our client's|{g}'s|the performer's|the payee's|my husband's|the choreographer's|the goalkeeper's|the beneficial owner's|{n} -|the coach's|my own]"
_LINKS = "[is|=|:|-|reads|should be|is still|on file is|on the letter is|according to the card is|that you wanted is|came back as|in our books is|for the application is|turns out to be|was corrected to|(new) is]"
_TAILS = "[|.|.|!|, pls delete after reading.| - as on the notice.| (see attached copy).|, valid since 2019.|. Do you need anything else?|. The passport follows.|, please confirm receipt.|; keep it safe.|. We fly tomorrow.|, sent from my phone|. Best from {city}|, thanks|, same as last year.]"


def composed(rng: Random, label: str, value: str, slots: dict[str, str]) -> str:
    """A sentence put together from opener, owner, label, link, number and tail."""
    made = expand(rng, f"{_OPENERS}{_OWNERS} {{l}} {_LINKS} {{v}}{_TAILS}", {**slots, "l": label, "v": value})
    return (
        made[0].upper() + made[1:]
        if rng.random() < 0.7
        else made.lower()
        if value.lower() == value and rng.random() < 0.3
        else made
    )
