"""What offices of every trade write all day: whole passages with the numbers of their business, none of them a taxpayer's.

A slot of a number and a sign is so many random characters: `{9}` digits, `{12x}` hexadecimal, `{6A}` capitals and digits,
`{3L}` capitals. Other slots are filled from `_WORDS`, each time anew.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from random import Random

from benchmarks.screening import filler, people
from benchmarks.screening.numbers import digits, letters, luhn_digit, routing
from benchmarks.screening.parts import hexadecimal, token

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_SIZED = re.compile(r"(\d+)([xAL]?)\Z")


def _weighted(body: str, weights: tuple[int, ...]) -> int:
    return sum(int(mark) * weight for mark, weight in zip(body, weights, strict=False))


def _gtin(rng: Random, length: int) -> str:
    body = digits(rng, length - 1)
    return body + str(-_weighted(body[::-1], (3, 1) * 8) % 10)


def _issn(rng: Random) -> str:
    body = digits(rng, 7)
    check = -_weighted(body, (8, 7, 6, 5, 4, 3, 2)) % 11
    return f"{body[:4]}-{body[4:]}{'X' if check == 10 else check}"


def _toll_free(rng: Random) -> str:
    area = rng.choice(["800", "888", "877", "866", "855", "844", "833"])
    return rng.choice(["1-{}-{}-{}", "({}) {}-{}", "{}.{}.{}", "+1 {} {} {}", "{}-{}-{}"]).format(
        area, digits(rng, 3), digits(rng, 4)
    )


def _extension(rng: Random) -> str:
    return f"{people.telephone(rng, 'US')} {rng.choice(['ext.', 'x', 'ext', 'Ext', 'extension'])} {digits(rng, rng.choice([3, 4, 5]))}"


def _imei(rng: Random) -> str:
    body = f"35{digits(rng, 12)}"
    return body + luhn_digit(body)


def _coordinates(rng: Random) -> str:
    return f"{rng.randint(24, 49)}.{digits(rng, 6)}, -{rng.randint(67, 124)}.{digits(rng, 6)}"


def _address6(rng: Random) -> str:
    return ":".join(hexadecimal(rng, 4) for _ in range(8))


_WORDS: dict[str, Callable[[Random], str]] = {
    "n": lambda r: people.person(r).name, "g": lambda r: people.person(r).given, "f": lambda r: people.person(r).family, "mail": lambda r: people.person(r).address, "firm": people.firm,
    "city": people.city, "street": people.street, "tel": people.telephone, "ustel": lambda r: people.telephone(r, "US"), "free": _toll_free, "ext": _extension, "money": people.money,
    "small": lambda r: f"{r.randint(1, 400)}.{digits(r, 2)}", "day": lambda r: people.day_text(r, people.day(r)), "iso": lambda r: people.day(r).isoformat(), "hour": lambda r: f"{r.randint(1, 12)}:{r.choice(['00', '15', '30', '45'])} {r.choice(['AM', 'PM'])}",
    "time": lambda r: f"{r.randint(0, 23):02}:{r.randint(0, 59):02}:{r.randint(0, 59):02}", "year": lambda r: str(r.randint(2019, 2026)), "zip4": lambda r: f"{digits(r, 5)}-{digits(r, 4)}",
    "ups": lambda r: "1Z" + letters(r, 6, string.digits + string.ascii_uppercase) + digits(r, 10), "usps": lambda r: " ".join(["94" + digits(r, 2), *(digits(r, 4) for _ in range(4)), digits(r, 2)]),
    "uuid": lambda r: "-".join(hexadecimal(r, size) for size in (8, 4, 4, 4, 12)), "mac": lambda r: ":".join(hexadecimal(r, 2) for _ in range(6)), "ip": lambda r: ".".join(str(r.randint(1, 254)) for _ in range(4)),
    "ip6": _address6, "aba": routing, "ean": lambda r: _gtin(r, 13), "gtin": lambda r: _gtin(r, 14), "upc": lambda r: _gtin(r, 12), "issn": _issn, "imei": _imei,
    "geo": _coordinates, "last": lambda r: digits(r, 4), "pnr": lambda r: letters(r, 6), "link": lambda r: f"https://{r.choice(['e', 'click', 'go', 'links', 'app'])}.{people.person(r).domain}/{token(r, 8)}/{digits(r, 9)}?{r.choice(['u', 'id', 'mid'])}={token(r, 30)}",
    "talk": lambda r: filler.sentence(r, "en"), "flight": lambda r: f"{r.choice(['UA', 'DL', 'AA', 'LH', 'BA', 'AF'])}{r.randint(10, 9899)}", "ein": lambda r: f"{r.choice(['13', '23', '52', '94', '36', '53'])}-{digits(r, 7)}",
}  # fmt: skip


def expand(rng: Random, template: str) -> str:
    """`template` with every choice drawn and every slot filled anew."""
    while (chosen := _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)) != template:
        template = chosen
    return _SLOT.sub(lambda match: _fill(rng, match[1]), template)


def _fill(rng: Random, slot: str) -> str:
    sized = _SIZED.match(slot)
    if not sized:
        return _WORDS[slot](rng)
    count = int(sized[1])
    alphabets = {"": string.digits, "A": string.digits + string.ascii_uppercase, "L": string.ascii_uppercase}
    return hexadecimal(rng, count) if sized[2] == "x" else letters(rng, count, alphabets[sized[2]])


# Topic: passages; one of them is drawn.
PASSAGES: dict[str, tuple[str, ...]] = {
    "signature": (
        "{n}\n[Director of Operations|Paralegal|Tour Accountant|VP, Artist Relations]\n{firm}\n{street}\n{city}, [NY|CA|TX|IL] {zip4}\nO: {ext}\nM: {ustel}\nF: {ustel}\nToll free: {free}\n{mail}",
        "{n} | {firm} | Office {ustel} | Direct {ustel} | Fax {ustel} | {mail}",
        "--\n{n}, CPA, [CFE|MST|EA]\nPhone: {ext} | Cell: {ustel} | eFax: {ustel}\n{street}, Suite {3}, {city} {zip4}\n\nUnless expressly stated, nothing in this message may be used to avoid penalties under the Internal Revenue Code.",
        "Mit freundlichen Grüßen\n{n}\n{firm} GmbH\nTel. +49 40 {8}\nFax +49 40 {8}-{2}\nGeschäftsführer: {n}\nAmtsgericht Hamburg HRB {6}\nUSt-IdNr. DE{9}",
        "Cordialement,\n{n}\nTél. : +33 1 {2} {2} {2} {2} - Port. : 06 {2} {2} {2} {2}\nSAS au capital de 40 000 € - RCS Paris {3} {3} {3} - SIRET {3} {3} {3} 000{2} - TVA FR{2}{9}",
        "{n}\nLicense No. {8} | NMLS# {7} | DRE {8}\nCA Insurance Lic. 0{1L}{5}",
    ),
    "invoice": (
        "Invoice #{9}\nDate: {day}\nDue: Net 30\nPO: {10}\nCustomer ID: {8}\n\nQty  Description            Unit      Total\n2    LED par 64             {small}    {small}\n14   XLR cable 10 m         {small}    {small}\nSubtotal {money}\nTax (8.875%) {small}\nTotal due {money}",
        "Statement of account {firm}\nInvoice\tDate\tAmount\tOpen\n{9}\t{iso}\t{small}\t{small}\n{9}\t{iso}\t{small}\t0.00\n{9}\t{iso}\t{small}\t{small}\nTotal open: {money}",
        "Your [electric|water|gas|internet] bill is ready. [Customer account|Account number|Acct #|Service account]: {[9|10|12]} Amount due: ${small} Due date: {day}. Service address: {street}. Meter number {8}.",
        "Thank you for your payment of ${small} on invoice {9}. Your confirmation number is {10}. Payment method: [Visa|Mastercard|Amex] ending in {last}.",
        "Purchase order {10} rev. {1}, line {2}: item {8}, HTS {4}.{2}.{4}, lead time 6 weeks. Quote no. Q-{9}. Vendor no. {6}.",
        "Re: credit memo {8} against invoice {9} - please apply to our open balance. Remittance advice no. {9}, check no. {6}.",
        "Rechnung Nr. {9}\nKundennummer: {9}\nAuftrag: {8}\nLieferschein {8}\nNetto {small} EUR, 19 % USt {small} EUR\nZahlbar bis {iso}",
        "Facture n° {9} - Client {8} - Commande {9} - Échéance {iso} - Montant TTC {small} €",
        "Fattura n. {6}/{year}, codice cliente {8}, ordine {9}. P.IVA e C.F. {11}. Codice destinatario {7A}.",
        "Factura {9}, pedido {8}, n.º de cliente {9}. Importe {small} €. Albarán {8}.",
    ),
    "shipping": (
        "[UPS|Your UPS package] tracking number {ups}. Reference: {9}. Scheduled delivery {day} by end of day.",
        "FedEx tracking {12} (2 pieces, master {12}, {15}). Shipper ref {9}. Picked up {iso} {time}.",
        "USPS Tracking: {usps}\nLabel number {22}\nZIP {zip4}",
        "DHL Express waybill {10}, piece JD{18}. Customs ref. {9}, MRN {2}DE{14A}. Container {3L}U{7}, seal {7}, B/L {4L}{9}.",
        "Amazon order 11{1}-{7}-{7} was delivered. Track: {link}",
        "Pallet SSCC (00) {18}, GTIN {gtin}, lot {8}, EAN {ean}, UPC {upc}.",
    ),
    "meeting": (
        "________________________________________\nMicrosoft Teams meeting\nJoin on your computer: {link}\nMeeting ID: {3} {3} {3} {3}\nPasscode: {6A}\nOr call in (audio only)\n+1 {3}-{3}-{4},,{9}# United States, {city}\nPhone Conference ID: {3} {3} {3}#",
        "{n} is inviting you to a scheduled Zoom meeting.\nTopic: {talk}\nMeeting ID: {3} {4} {4}\nPasscode: {6}\nOne tap mobile\n+1{10},,{11}#,,,,*{6}# US ({city})\n+1{10},,{11}# US\nDial by your location\n+1 {3} {3} {4} US",
        "Join with Google Meet: https://meet.example/{3L}\nOr dial: (US) +1 {3}-{3}-{4} PIN: {3} {3} {3}#\nMore phone numbers: {link}",
        "Webex meeting number (access code): {4} {3} {4}\nHost key: {6}\nTap to join from a mobile device: +1-{3}-{3}-{4},,{11}## US Toll",
        "Conference bridge: {free}, participant code {7}, leader PIN {9}. Please mute.",
        "RingCentral: +1 ({3}) {3}-{4}, access code {9}. International numbers: {link}",
    ),
    "travel": (
        "Your trip is booked.\nConfirmation: {pnr}\nTicket number: 016 {10}\n{flight} {city} - {city} {day} {hour}\nMileagePlus {9}\nKnown Traveler No. {9}\nTotal fare USD {small}",
        "E-ticket {3}-{10} for {n}. Record locator {pnr}. Frequent flyer no. {9}. Seat {2}A. Baggage tag {10}.",
        "Hotel confirmation {9}, [Hilton Honors|Marriott Bonvoy|World of Hyatt] # {9}. Check-in {day} after 3 pm. Room rate ${small} a night. Guest: {n}.",
        "Car rental confirmation {8}-US-{1}; Emerald Club {9}; license plate {7A}; agreement {9}.",
        "Amtrak reservation {pnr}, train {3}, eTicket {13}. Lyft receipt {10}: ${small}.",
        "ESTA application number {16A} was authorized; the visa interview moved to {day}, {hour}. Ask for DS-160 help.",
    ),
    "technical": (
        "[Build|Pipeline] #{9} failed on commit {40x} ([main|release/{1}.{2}]).\nRunner {12x}, job {10}, duration 12m 31s.\nTraceback (most recent call last):\n  File \"/srv/app/{8x}.py\", line {3}, in run\n    total = parse({9})\nValueError: invalid literal for int() with base 10: '{3}-{2}-{4}x'",
        "{iso}T{time}.{6}Z host{2} sshd[{5}]: Failed password for root from {ip} port {5} ssh2\n{iso}T{time}.{6}Z host{2} kernel: [{9}.{6}] eth0: link up, MAC {mac}\n{iso}T{time}Z host{2} app: request_id={uuid} user={9} rt=0.{9}",
        "Firmware {1}.{2}.{9} for serial {9}; MAC {mac}; IPv6 {ip6}; IMEI {imei}; ICCID 8901{15}; asset tag {8}.",
        "INC{8} has been assigned to you. CHG{7} is scheduled for {day}. Ticket: REQ{9}. KB{7} has the steps.",
        "sha256:{64x}  installer-{1}.{2}.dmg\nsha1 {40x}\nmd5 {32x}\ncrc32 {8x}\nsize {9} bytes",
        "    at com.example.Order.load(Order.java:{3})\n    at sun.reflect.Native.invoke0({9})\nCaused by: java.sql.SQLException: ORA-{5}: row {9} of {8}\n{9} rows affected, {8} skipped",
        "The disk has {12} bytes, {9} sectors; inode {9}; uid={5} gid={5}; pid {6}; exit code {3}; epoch {10}; offset 0x{8x}.",
        "License key: {5A}-{5A}-{5A}-{5A}-{5A}\nActivation ID {9}\nProduct ID: {5}-{3}-{7}-{5}\nDevice ID {uuid}",
        "git log --oneline\n{7x} Fix the total\n{9x} Bump to {1}.{2}.{1}\n{12x} Merge pull request #{5}\nSee {link}",
        "SELECT * FROM orders WHERE id IN ({9}, {9}, {9}) AND created > '{iso} {time}';",
        "Subscription {32x}; account id {12}; arn:aws:iam::{12}:role/deploy; bill of {day}: ${small}",
    ),
    "law": (
        "Case No. {1}:{2}-cv-{5}-{3L}, Dkt. {3}, filed {day}. Bates nos. {3L}{7} to {3L}{7}. Docket {5}-{2}.",
        "File no. {9}; claim number {3}-{2}-{4}; policy {9}; date of loss {day}; adjuster {n}, {ext}.",
        "U.S. Patent No. {2},{3},{3}; Serial No. {2}/{3},{3}; Reg. No. {1},{3},{3}; Trademark serial {8}; attorney docket {6}.{5}.",
        "Recorder's document {year}-{7}, parcel number (APN) {3}-{2}-{3}-{3}, lot {2}, book {3}, page {3}.",
        "USCIS receipt number EAC-{2}-{3}-{5}; petition I-129 for {n}; biometrics on {day}. Form OMB No. 1615-{4}.",
        "GSA contract GS-{2}F-{4}X; CAGE {5A}; DUNS {2}-{3}-{4}; UEI {12A}; NAICS {6}; SAM registration expires {day}.",
        "LEI {18A}{2}; SWIFT {4L}US33{3L}; CUSIP {9A}; ISIN US{10}; CIK 000{7}; MSRB {9}.",
    ),
    "medical and school": (
        "Member ID {3L}{9}, group number {7}, RxBIN {6}, claim {12}. Questions: {free}.",
        "Appointment with Dr. {f} on {day} at {hour}. MRN {8}. Please arrive early; call {ustel} to cancel.",
        "Student ID {9} is enrolled in [BIO|MUS|LAW] {3}-{2}. Tuition balance {money}, term {year}{2}.",
        "Order {9}: prescription Rx# {7}-{5}, NDC {5}-{4}-{2}, refills 2.",
    ),
    "publishing": (
        "ISBN 978-{1}-{4}-{4}-{1}; ISSN {issn}; doi:10.{4}/{8A}.{year}.{9}; PMID {8}; arXiv:{4}.{5}; LCCN {10}.",
        "ISRC US-{3L}-{2}-{5}, ISWC T-{3}.{3}.{3}-{1}, IPI {11}, UPC {upc}, catalogue no. {3L} {5}.",
        'Vol. {2}, No. {1} ({year}), pp. {3}-{3}. {n} and {n}, "{talk}", https://doi.example/10.{4}/{9}',
        "Ad order {9}, insertion {8}, circulation {3},{3}, CPM ${small}, campaign {9}-{4}.",
    ),
    "banking in public": (
        "Our bank moved: the routing number of {firm} Federal Credit Union is {aba}. Find it on every branch's page.",
        "ABA {aba} belongs to the {city} branch, says the directory. Fedwire is open until 7 pm.",
        "A [card|debit card] ending in {last} was charged ${small} at {firm}. Authorization code {6}. Auth ref {12}.",
        "Wire reference {16A} has been received. IMAD {8}{8A}{6}. Our trace {9}. No action is needed.",
        "Your statement for the account ending in {last} is ready. Log in to see it. Member FDIC. NMLS {6}.",
        "ACH return R01, trace number {15}, batch {7}, {money}.",
    ),
    "list of places": (
        "Venue\tCapacity\tContact\tTelephone\tZIP\n{firm} Hall\t{4}\t{n}\t{ustel}\t{zip4}\n{firm} Arena\t{5}\t{n}\t{ustel}\t{zip4}\n{firm} Club\t{3}\t{n}\t{ustel}\t{zip4}",
        "Truck parking: {geo}\nStage door: {geo}\nWhat3words is fine too. Gate code {4}#, security {ustel}.",
        "Run of show, all times local\n14:00 load in\n17:30 soundcheck {n}\n19:00 doors\n20:15 {firm}\n23:00 curfew\nAfter: {ustel} ({g})",
        "SKU\tGTIN\tDescription\tQty\tPrice\n{8}\t{gtin}\tT-shirt M\t{2}\t{small}\n{8}\t{gtin}\tT-shirt L\t{2}\t{small}\n{9}\t{gtin}\tPoster\t{3}\t{small}",
        "Radio: {3}.{6} MHz, {3}.{6} MHz, {3}.{6} MHz (FCC licence {4L}{3}, file number 000{7})",
    ),
    "talk of tax": (
        "Form 13930 must reach the agency 45 days before the first event. The threshold is ${2},000; below it use Form 8233. Call 267-941-1000 with questions.",
        "IR-{year}-{2}: the standard deduction rises to ${2},{3} for single filers; taxpayers whose adjusted gross income is under ${2},000 can file for free. See Rev. Proc. {year}-{2} and Notice {year}-{2}.",
        "Does the artist need an ITIN before we send the budget, or can the application go in with it? W-7 takes seven weeks, they say.",
        "A reminder from payroll: never send your SSN, date of birth or bank details by e-mail. The portal is at {link}.",
        "The masked number on the notice is [***-**-{last}|XXX-XX-{last}|xxx-xx-{last}|(last four {last})]; is that [hers|the right one]?",
        "Please fill in the attached blank W-8BEN (Rev. October 2021), OMB No. 1545-1621, Cat. No. 25047Z, and bring it on {day}.",
        "Publication 519, page {2}; Treas. Reg. 1.{4}-{1}(b)(2); IRC section 1441; T.D. {4}; 26 CFR {1}.{4}-{1}.",
        'What goes on line {2}? The instructions say "enter your nine-digit number" and show 123-45-6789.',
        "Withholding at 30% applies to gross income unless a treaty or a central withholding agreement says otherwise; the [union|promoter|venue] asked again.",
        "The refund policy: tickets bought before {day} are refunded in full, minus the ${small} fee. Order {9}.",
        "Webinar: Taxation of Foreign Artists and Athletes. CPE credits: 2. Registration ID {9}. Fee ${small}. NASBA sponsor {6}.",
        "We got CP565 last week and mailed the copy as you asked. Is anything else missing from the file?",
        "{g} filed the extension and claimed nothing yet; the accountant is on leave until {day}.",
        "The [audit|examination] of the venue's box office statements was finished by {n} on {day}. Nothing odd.",
    ),
    "charity": (
        "Thank you for your gift of ${small} to the {firm} Foundation. We are a 501(c)(3) nonprofit (EIN {ein}). Keep this letter for your records.",
        "The {city} Symphony Association is a tax-exempt organization under section 501(c)(3). Federal tax ID {ein}. Contributions are deductible.",
        "Donate by mail: {firm} Fund, P.O. Box {5}, {city} {zip4}. Tax ID: {ein}. Our Form 990 is public.",
    ),
    "press and numbers": (
        "{n}, who was born in {city}, has sold {3} million records. The new album is out on {day}.",
        "The fund gained {1}.{2}% to ${2}.{2}; volume {3},{3},{3}; market cap ${2}.{1}bn; revenue rose to ${3}.{1} million.",
        "Attendance {2},{3}; gross ${1},{3},{3}; average ticket ${small}. Last year {2},{3}.",
        "Final: {2}-{2}, {2}-{2}, {2}-{2}. {n} ran {2}.{2} s, {n} {2}.{2} s. Season record {2}-{2}-{1}.",
        "Win the raffle: tickets {6}, {6}, {6}, {6}. Lottery {2} {2} {2} {2} {2}.",
        "one two three - check check - is this mic on? two three four, and again from bar {2}.",
        "Rehearsal: five six seven eight, then the break, one two, one two three four.",
    ),
}  # fmt: skip


# What senders' and scanners' programs put into the head of a mail.
FIELDS = (
    "Feedback-ID: {9}:{9}.{7}:us1:mc", "X-Campaign: mailchimp{24x}.{10x}", "X-Report-Abuse: Please report abuse here: https://abuse.example/?u={24x}&id={10x}", "X-Microsoft-Antispam: BCL:0;ARA:{8}|{10}|{11}|{6}|{10}|{9}|{11}|{10};",
    "X-Forefront-Antispam-Report: CIP:{ip};CTRY:US;LANG:en;SCL:1;SRV:;IPV:NLI;SFV:NSPM;H:mail-{9};PTR:;CAT:NONE;SFS:({8})({9})({10})({6})({9});DIR:INB;", "X-SES-Outgoing: {iso}-{ip}", "X-SG-EID: {60A}", "X-Entity-ID: {9}",
    "X-Proofpoint-Spam-Details: rule=notspam policy=default score=0 mlxlogscore={3} clxscore=1015 engine=8.12.0-{10} definitions=main-{10}", "X-Mailer: Microsoft Outlook 16.0.{5}.{5}", "X-Job: {9}_{7}", "X-rpcampaign: sp{9}", "X-CID: {9}",
    "X-Originating-IP: [{ip}]", "X-Transaction-ID: {9}", "X-PVIQ: bmta-{9}-{6}", 'X-IronPort-AV: E=McAfee;i="6700,10204,{5}"; a="{9}"', "X-TM-AS-Result: No--{2}.{6}-7.0-31-1", "X-Barracuda-Bayes: INNOCENT GLOBAL 0.0000 1.0000 -2.{4}",
    "X-MDID: {10}-{12A}", "X-Google-DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=1e100.example; s=20230601; t={10}; x={10};", "X-Received: by 2002:a05:6808:{3}:b0:{3}:{4x}:{4x} with SMTP id {15}-{14x}.10.{13}", "X-MS-Exchange-Organization-ExpirationStartTime: 0{1} Feb {year} {time}.{4} (UTC)",
)  # fmt: skip
SUBJECTS = (
    "Question about my ITIN", "Form W-7 and SSN", "RE: EIN letter", "tax ID needed?", "Your passport appointment", "IP PIN program", "CAF unit contact", "AW: Steuernummer", "Do we need the date of birth?", "PTIN renewal season is open",
    "Re: bank details form", "social security tax for nonresidents", "RE: SSN or ITIN for the drummer?", "1042-S and TIN questions", "GIIN list published", "visa interview dates",
)  # fmt: skip


def fields(rng: Random) -> list[str]:
    """Some header fields of machines."""
    return [expand(rng, field) for field in rng.sample(FIELDS, rng.randint(1, 8))]


def passage(rng: Random, topic: str) -> str:
    """One passage of a topic."""
    return expand(rng, rng.choice(PASSAGES[topic]))


def thread(rng: Random, depth: int = 3) -> str:
    """Earlier mails below a mail, each with its own head as mailers write them."""
    made = ""
    for level in range(depth):
        writer, reader = people.person(rng), people.person(rng)
        head = rng.choice(
            [
                "\n\nFrom: {0} <{1}>\nSent: {2} {3}\nTo: {4} <{5}>\nCc: {6}\nSubject: RE: {7}\n\n",
                "\n\n-----Original Message-----\nFrom: {0} [mailto:{1}]\nSent: {2} {3}\nTo: {4}\nSubject: {7}\n\n",
                "\n\nOn {2} at {3}, {0} <{1}> wrote:\n\n",
                "\n\n________________________________\nVon: {0} <{1}>\nGesendet: {2}\nAn: {4}\nBetreff: AW: {7}\n\n",
            ]
        ).format(
            writer.name, writer.address, expand(rng, "{day}"), expand(rng, "{hour}"), reader.name, reader.address,
            people.person(rng).address, filler.subject(rng, "en"),
        )  # fmt: skip
        topic = rng.choice(list(PASSAGES))
        body = f"{filler.paragraph(rng, 'en')}\n\n{passage(rng, topic)}\n\n{passage(rng, 'signature')}"
        quote = "> " * level if "wrote:" in head else ""
        made += head + "\n".join(quote + line for line in body.split("\n"))
    return made
