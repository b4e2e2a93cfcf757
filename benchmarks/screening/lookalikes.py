"""Numbers that are nobody's taxpayer data, in the sentences in which business mail has them."""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random

from benchmarks.screening import filler, people
from benchmarks.screening.grammar import expand
from benchmarks.screening.numbers import UPPER, digits, letters, luhn_digit
from benchmarks.screening.openpgp import armour, packet
from benchmarks.screening.parts import hexadecimal, token

Made = Callable[[Random], str]


def _ean(rng: Random, head: str = "") -> str:
    body = head + digits(rng, 12 - len(head))
    total = sum(int(mark) * (3 if at % 2 else 1) for at, mark in enumerate(body))
    return body + str(-total % 10)


def _isbn(rng: Random) -> str:
    plain = _ean(rng, rng.choice(["978", "979"]))
    return rng.choice([plain, f"{plain[:3]}-{plain[3]}-{plain[4:8]}-{plain[8:12]}-{plain[12]}"])


def _isbn10(rng: Random) -> str:
    body = digits(rng, 9)
    check = -sum(weight * int(mark) for weight, mark in zip(range(10, 1, -1), body, strict=True)) % 11
    return f"{body[0]}-{body[1:4]}-{body[4:]}-{'X' if check == 10 else check}"


def _ups(rng: Random) -> str:
    return "1Z" + letters(rng, 6, string.digits + UPPER) + digits(rng, 10)


def _imei(rng: Random) -> str:
    body = "35" + digits(rng, 12)
    return body + luhn_digit(body)


def _uuid(rng: Random) -> str:
    raw = hexadecimal(rng, 32)
    return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-{raw[20:]}"


def _ip(rng: Random) -> str:
    return ".".join(str(rng.randint(1, 254)) for _ in range(4))


def _vat(rng: Random) -> str:
    """Firms' VAT numbers with their country, as the law of several countries puts them on every letter: public."""
    return rng.choice([
        f"DE{digits(rng, 9)}", f"GB {digits(rng, 3)} {digits(rng, 4)} {digits(rng, 2)}", f"NL{digits(rng, 9)}B01", f"FR{digits(rng, 2)} {digits(rng, 9)}",
        f"IT{digits(rng, 11)}", f"ESB{digits(rng, 8)}", f"ATU{digits(rng, 8)}", f"SE{digits(rng, 10)}01", f"CHE-{digits(rng, 3)}.{digits(rng, 3)}.{digits(rng, 3)} MWST",
    ])  # fmt: skip


EXAMPLES = ("078-05-1120", "219-09-9999", "457-55-5462", "123-45-6789", "987-65-4321", "987-65-4325", "000-00-0000", "111-11-1111", "000-12-3456",
            "666-12-3456", "999-99-9999", "123-00-4567", "12-3456789", "00-0000000")  # fmt: skip
TEST_CARDS = (
    "4111 1111 1111 1111",
    "4242 4242 4242 4242",
    "5555 5555 5555 4444",
    "3782 822463 10005",
    "6011 1111 1111 1117",
    "4000 0566 5566 5556",
    "5105105105105100",
)

# topic: (who makes the number, sentences around {x}). The first tuple is ordinary mail, the second chosen to mislead.
ORDINARY: dict[str, tuple[Made, tuple[str, ...]]] = {
    "telephone": (people.telephone, ("[Call|Ring|Phone] me at {x}[ any time|].", "Tel: {x}", "My [cell|mobile|new number] is {x}.", "[WhatsApp|Signal|Text] {x} if the gate is locked.",
                                     "Fax: {x}", "Tél. {x}", "Telefon {x}", "Venue contact: {n}, {x}", "Dial {x} and press 2.", "Tel. {x} (Mo-Fr)", "Móvil: {x}", "☎ {x}")),
    "order": (lambda r: r.choice(["{}", "SO-{}", "PO {}", "#{}", "ORD{}"]).format(digits(r, r.choice([6, 7, 8, 9, 9, 10, 12]))),
              ("Your order {x} [has shipped|is confirmed|was delayed].", "Order number: {x}", "PO {x} covers the backline.", "Bestellnummer {x}", "Pedido n.º {x} confirmado.", "Purchase order no. {x}")),
    "tracking": (lambda r: r.choice([_ups(r), digits(r, 12), digits(r, 15), f"94{digits(r, 20)}", f"JD{digits(r, 18)}", f"RR{digits(r, 9)}DE", f"9{digits(r, 11)}"]),
                 ("Tracking number {x}.", "UPS [tracking|shipment] {x} arrives Thursday.", "[FedEx|DHL|USPS] tracking: {x}", "Sendungsnummer: {x}", "Track it: https://track.example/?id={x}")),
    "isbn": (lambda r: r.choice([_isbn, _isbn10])(r), ("The score (ISBN {x}) is out of print.", "ISBN: {x}", "Order the songbook, ISBN {x}.")),
    "barcode number": (_ean, ("EAN {x}", "The vinyl's barcode is {x}.", "UPC/EAN: {x}, 40 units")),
    "hash": (lambda r: hexadecimal(r, r.choice([32, 40, 64])), ("SHA-256: {x}", "md5 {x}  stageplot.pdf", "checksum {x}", "The file's digest is {x}.")),
    "commit": (lambda r: hexadecimal(r, r.choice([7, 9, 12, 40])), ("Fixed in commit {x}.", "See {x} on main.", "git cherry-pick {x}", "Deployed {x} to staging")),
    "uuid": (_uuid, ("Request id {x}", "Job {x} finished.", "urn:uuid:{x}", "Session: {x}")),
    "url": (lambda r: f"https://{r.choice(['tickets', 'docs', 'drive', 'click', 'news'])}.example/{token(r, 6)}/{digits(r, 9)}?{r.choice(['utm', 'sid', 'ref'])}={token(r, 18)}&n={digits(r, 9)}",
            ("Buy here: {x}", "{x}", "The folder is at {x}", "Unsubscribe: {x}")),
    "price": (people.money, ("The hire costs {x} [plus tax|a day|all in].", "Total: {x}", "We quote {x} for the week.", "Gesamtbetrag {x}", "Deposit {x} received, thank you.")),
    "gross": (people.money, ("Ticket gross: {x}", "Box office in {city} closed at {x}.", "Net gate receipts {x}.", "Merch gross {x}, venue share 20%.", "The festival's gross is {x}.")),
    "invoice": (lambda r: r.choice(["INV-{}", "{}", "2025/{}", "RE-{}", "F{}"]).format(digits(r, r.choice([5, 6, 8, 9]))),
                ("Invoice {x} is attached.", "Invoice no. {x}, due in 30 days", "Rechnung Nr. {x}", "Facture n° {x}", "Factura {x} pagada.", "Credit note for invoice {x}")),
    "vat": (_vat, ("VAT no. {x}", "USt-IdNr. {x}", "TVA intracommunautaire : {x}", "P. IVA {x}", "VAT Reg. No: {x}", "Btw-nr. {x}")),
    "meeting": (lambda r: r.choice([f"{digits(r, 3)} {digits(r, 3)} {digits(r, 3)}", f"{digits(r, 3)} {digits(r, 4)} {digits(r, 4)}", f"{digits(r, 3)} {digits(r, 3)} {digits(r, 3)} {digits(r, 2)}",
                                            digits(r, 9), digits(r, 11)]),
                ("Meeting ID: {x}\nPasscode: {code}", "Join: https://meet.example/j/{x}\nMeeting ID: {x}", "Dial in, conference ID {x}#", "Webinar ID {x}", "Phone conference ID: {x}#")),
    "zip": (lambda r: f"{digits(r, 5)}-{digits(r, 4)}", ("Ship to {street}, {city}, TX {x}", "ZIP {x}", "P.O. Box 12, {city} {x}", "Return address: {city}, CA {x}")),
    "coordinates": (lambda r: f"{r.randint(-89, 89)}.{digits(r, r.choice([4, 6, 7]))}, {r.randint(-179, 179)}.{digits(r, r.choice([4, 6, 7]))}",
                    ("Load-in at {x}.", "GPS: {x}", "Pin: https://maps.example/?q={x}", "Truck parking {x}")),
    "ip": (_ip, ("The ticketing server is {x}.", "Blocked {x} after 5 attempts.", "Whitelist {x}/32 please.", "ping {x}")),
    "flight": (lambda r: f"{r.choice(['220', '016', '125', '057', '006'])}-{digits(r, 10)}", ("E-ticket number {x}", "Ticket {x}, booking reference {loc}", "eTicket: {x}")),
    "product": (lambda r: r.choice([f"{digits(r, 2)}-{digits(r, 4)}-{digits(r, 3)}", f"{letters(r, 3)}-{digits(r, 5)}", f"{digits(r, 4)}-{digits(r, 4)}", f"{letters(r, 2)}{digits(r, 7)}"]),
                ("Spare part {x} for the desk.", "Model {x}", "SKU {x}, qty 4", "Serial number {x}", "Artikelnummer {x}", "S/N: {x}")),
    "date": (lambda r: people.day_text(r, people.day(r), r.choice(["en", "de", "fr", "es"])), ("The show is on {x}.", "Contract date: {x}", "Release: {x}", "Stand: {x}", "Deadline {x}, 17:00")),
    "timestamp": (lambda r: str(r.randint(1_500_000_000, 1_799_999_999)), ("t={x} status=200", "epoch {x}", "[{x}] started")),
    "score": (lambda r: f"{r.randint(0, 9)}-{r.randint(0, 9)}, {r.randint(0, 6)}-{r.randint(0, 6)}", ("Final score {x}.", "They won {x} on Saturday.")),
    "imei": (_imei, ("IMEI {x}", "The rented handset has IMEI {x}.", "Device IMEI/MEID: {x}")),
}  # fmt: skip


def _masked(rng: Random) -> str:
    last = digits(rng, 4)
    return rng.choice(
        [
            f"XXX-XX-{last}",
            f"***-**-{last}",
            f"xxx-xx-{last}",
            f"###-##-{last}",
            f"•••-••-{last}",
            f"9XX-XX-{last}",
            f"XX-XXX{last}",
            "XXX-XX-XXXX",
            f"ending in {last}",
            f"*****{last}",
        ]
    )


def _part_number(rng: Random) -> str:
    """Shaped ddd-dd-dddd, and valid as an SSN too."""
    return f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"


def _charity(rng: Random) -> str:
    return f"{rng.choice(['13', '23', '52', '94', '04', '36'])}-{digits(rng, 7)}"


MISLEADING: dict[str, tuple[Made, tuple[str, ...]]] = {
    "part number": (_part_number, ("Please quote part number {x} for the hazer.", "Part no. {x}, 12 pcs", "Replace P/N {x} (lamp)", "We need 4 of item {x}.", "Catalog number {x}", "Teilenummer {x}",
                                   "SKU {x} is on back order.", "Spare part {x} fits both desks.", "Material no. {x}", "Ref. pieza {x}", "Stock code: {x}")),
    "masked": (_masked, ("SSN: {x}", "The ITIN on file is {x}.", "Your account {x} was credited.", "Social Security number {x} (masked)", "TIN {x}", "Card {x} was charged.")),
    "example": (lambda r: r.choice(EXAMPLES), ("Write it like {x}.", "For example SSN {x}.", "The sample form shows {x}.", "Format: {x} (example only)", "Do not use a fake SSN such as {x}.", "Test record, SSN {x}")),
    "test card": (lambda r: r.choice(TEST_CARDS), ("Use test card {x} in the sandbox.", "Stripe test number {x}", "The staging shop takes {x}, any CVC.")),
    "charity": (_charity, ("Thank you for your gift. {firm} Foundation is a 501(c)(3) organization, EIN {x}. Your donation is tax-deductible.",
                           "No goods or services were provided. Tax ID {x} (501(c)(3) public charity).", "Donation receipt: {firm} Foundation, EIN: {x}, tax-exempt under section 501(c)(3).")),
    "form mentioned": (lambda r: r.choice("13930|13930-A|15410|8233|W-8BEN|W-7|2848|8821|1042-S|1040-NR|W-9|4868|W-2|W-8BEN-E".split("|")),
                       ("Please send me Form {x}.", "Do we need Form {x} or not?", "Form {x} is due 45 days before the first event.", "[Attached is|Here's] a blank {x} to fill in.", "Which line of Form {x} takes the budget?",
                        "We signed the {x} yesterday and faxed it.", "Formular {x} fehlt noch.", "Falta el formulario {x}.", "Il manque le formulaire {x}.")),
    "number asked for": (lambda r: r.choice("SSN|ITIN|EIN|Social Security number|passport number|date of birth|CAF number|PTIN|IBAN|GIIN|tax ID".split("|")),
                         ("Please do not e-mail your {x}.", "We need {g}'s {x}, but call me with it at {phone}.", "Has {n} applied for an {x} yet? Order {order} is waiting.", "Never send your {x} by mail.",
                          "I will give you the {x} on the phone, {phone}.", "Her {x} is pending since {day}.", "The {x} was left off page 2 of contract {order}.", "{x}: to follow", "{x}: ____________")),
    "official numbers": (lambda r: r.choice(["1545-0074", "1545-1597", "1545-0096", "1545-1621", "1545-0150"]), ("OMB No. {x}", "OMB No. {x}, Cat. No. {cat}", "Form Approved OMB {x}; Cat. No. {cat}")),
    "agency telephone": (lambda r: r.choice(["267-941-1000", "800-829-1040", "1-800-829-4933", "855-223-4017", "(304) 707-9471", "800-908-4490"]),
                         ("Call the IRS at {x} about the notice.", "IRS international line {x}", "PPS hotline: {x} (CAF unit option 3)")),
    "machine id": (lambda r: f"{digits(r, 9)}", ("message-id {x}.{x2}@host", "[Ticket#{x}] closed", "Ticket {x} has been updated.", "Case number: {x}", "Ref: {x}/A", "req={x} rt=0.004", "Issue {x}", "job id {x} done",
                                                "Confirmation number {x}", "Booking {x}", "Reservation no. {x}", "Policy number {x} covers the gear.", "Customer no. {x}")),
    "salary talk": (people.money, ("The hall pays staff {x} a week on average.", "The union minimum rose to {x}.", "Prize money for the open totals {x}.", "The withholding rate is 30% above {x}.", "The exemption amount is {x}.",
                                   "The club's turnover was {x}.", "Total tax collected by the state: {x}.")),
}  # fmt: skip


def sentence(rng: Random, topic: str) -> str:
    """A sentence with a number of this topic."""
    maker, frames = ORDINARY.get(topic) or MISLEADING[topic]
    somebody = people.person(rng)
    slots = {
        "x": maker(rng), "x2": digits(rng, 12), "n": somebody.name, "g": somebody.given, "firm": people.firm(rng), "city": people.city(rng), "street": people.street(rng),
        "phone": people.telephone(rng), "code": digits(rng, 6), "loc": letters(rng, 6), "day": people.day_text(rng, people.day(rng)),
        "order": digits(rng, 7), "cat": f"{digits(rng, 5)}{rng.choice(UPPER)}",
    }  # fmt: skip
    return expand(rng, rng.choice(frames), slots)


def list_of(rng: Random, topic: str) -> str:
    """Several of one topic under each other, as orders and parts lists are."""
    maker, _ = ORDINARY.get(topic) or MISLEADING[topic]
    head = {
        "part number": "Part no.",
        "order": "Order",
        "invoice": "Invoice no.",
        "tracking": "Tracking",
        "telephone": "Phone",
        "product": "Item",
        "price": "Price",
    }.get(topic, topic.capitalize())
    rows = [
        f"{rng.choice(['Cable', 'Lamp', 'Stand', 'Amp', 'Truss', 'Case', 'Desk', 'Mic'])}\t{maker(rng)}\t{rng.randint(1, 40)}"
        for _ in range(rng.randint(2, 9))
    ]
    return "\n".join([f"Description\t{head}\tQty", *rows])


def log_excerpt(rng: Random) -> str:
    lines = [
        f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}.{digits(rng, rng.choice([3, 6, 9]))}Z "
        f"{rng.choice(['INFO', 'WARN', 'ERROR'])} [{rng.randint(100, 99999)}] {rng.choice(['GET', 'POST'])} /v{rng.randint(1, 3)}/orders/{digits(rng, 9)} {rng.choice([200, 404, 500])} "
        f"{_ip(rng)} {hexadecimal(rng, 16)} {rng.randint(1, 90000)}us"
        for _ in range(rng.randint(4, 25))
    ]  # fmt: skip
    return "\n".join(lines)


def source_code(rng: Random) -> str:
    names = "count total offset index seed limit order_id width".split()
    lines = [
        f"    {rng.choice(names)} = {rng.choice([digits(rng, rng.randint(1, 9)), f'0x{hexadecimal(rng, 8)}', f'{rng.random():.9f}'])}"
        for _ in range(rng.randint(4, 20))
    ]
    return f"def {rng.choice(names)}_of(ssn_field, tin=None):\n" + "\n".join(lines) + "\n    return total"


def diff(rng: Random) -> str:
    return (f"diff --git a/app.py b/app.py\nindex {hexadecimal(rng, 9)}..{hexadecimal(rng, 9)} 100644\n@@ -{rng.randint(1, 900)},7 +{rng.randint(1, 900)},9 @@\n"
            f"-    timeout = {digits(rng, 5)}\n+    timeout = {digits(rng, 6)}\n+    # see ticket {digits(rng, 9)}")  # fmt: skip


def key_block(rng: Random) -> str:
    """An OpenPGP public key: Ed25519 key, user id, signature."""
    key = b"\x04" + rng.randbytes(4) + bytes.fromhex("16092b06010401da470f01010740") + rng.randbytes(32)
    signature = b"\x04\x13\x16\x08\x00\x00" + rng.randbytes(111)
    return armour(
        "PUBLIC KEY BLOCK", packet(6, key) + packet(13, people.person(rng).address.encode()) + packet(2, signature)
    )


def schedule(rng: Random) -> str:
    rows = [
        f"{people.day_text(rng, people.day(rng, 2025, 2026))}\t{people.city(rng)}\t{people.venue(rng)}\t{rng.randint(400, 21000)}\t{people.money(rng)}"
        for _ in range(rng.randint(3, 14))
    ]
    return "\n".join(["Date\tCity\tVenue\tCapacity\tTicket gross", *rows])


def conversation(rng: Random) -> str:
    """About numbers and forms, without any."""
    frames = (
        "[Does|Will] {n} need an ITIN, or is [a|her|his] Social Security number enough?", "Applying for an ITIN takes [seven|eleven] weeks with Form W-7.",
        "[My accountant|The embassy|Somebody] says an SSN [is not needed|can't be issued] on a [P-1|O-1|B-2] visa.", "We never [e-mail|write down|fax] Social Security numbers, please use the portal.",
        "Our EIN letter is lost; [how do we get a copy|whom do we call]?", "Is the passport [number|copy] really needed on Form 13930?", "[Which|What] CAF number [applies|goes] on line 2 if {firm} has none?",
        "The PTIN renewal is open until December 31.", "The GIIN list is published every month; look up the bank there.", "Date of birth must be written month first on this form.",
        "{n} must be born [before|on or before] 01/12/2005 for the club date.", "We don't have {n}'s SSN. Order 512349876 has shipped.",
        "The refund [takes|took] months last time, says the accountant.", "The W-2s go out in January, 1042-S forms in March.", "Our bank wants the IBAN of the promoter, I asked them to call you.",
    )  # fmt: skip
    owner = people.person(rng)
    return " ".join(
        expand(rng, rng.choice(frames), {"n": owner.name, "firm": people.firm(rng)}) for _ in range(rng.randint(1, 4))
    )


BLOCKS: dict[str, Made] = {
    "log excerpt": log_excerpt, "source code": source_code, "diff": diff, "public key": key_block, "schedule": schedule, "conversation": conversation,
    "parts list": lambda rng: list_of(rng, "part number"), "order list": lambda rng: list_of(rng, rng.choice(["order", "invoice", "product", "tracking", "price"])),
    "telephone list": lambda rng: "\n".join(f"{people.person(rng).name}\t{people.telephone(rng)}" for _ in range(rng.randint(3, 15))),
    "long text": lambda rng: "\n\n".join(filler.paragraph(rng, "en", 6) for _ in range(rng.randint(3, 9))),
}  # fmt: skip
