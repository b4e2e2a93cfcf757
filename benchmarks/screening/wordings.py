"""Other people's ways to give a number: what they call it, and how the lines round it look.

Written apart from `labels` and `frames`, from what forms, payroll systems, agents and impatient people write.
"""

from __future__ import annotations

from random import Random

from benchmarks.screening import people
from benchmarks.screening.grammar import expand
from benchmarks.screening.numbers import digits

CALLED: dict[str, str] = {
    "ssn": "SSN|SS#|S.S.#|Soc. Sec. No.|Soc Sec #|SS No|SS Number|Social Security #|Social Security Nbr|Soc. Security Number|SSN#|ssn no|Social Sec. Number|Taxpayer's SSN|Employee SSN|SSN (US)|U.S. Social Security number|SSA number|"
           "social security account number|Your social security number|TIN (SSN)|SSN or ITIN|SSN/EIN|Taxpayer Identification Number (SSN)|T.I.N.|US tax identification number|Tax I.D.|Recipient's TIN|Payee's tax ID|ssn_number|SocialSecurityNumber|"
           "employee_ssn|Box a (employee's SSN)|line 5, U.S. taxpayer identification number (SSN or ITIN)",
    "itin": "ITIN|ITIN#|ITIN No.|I.T.I.N.|US ITIN|Individual Taxpayer ID|individual taxpayer identification no.|taxpayer number (ITIN)|IRS-issued ITIN|nine-digit ITIN|Tax ID (ITIN)|TIN|US Tax ID|U.S. TIN|Recipient's TIN|SSN or ITIN|"
            "Taxpayer identification number|itin_number|ITINNumber|Identifying number|Applicant's ITIN|IRS tax number|tax no. (US)|line 5 (U.S. TIN)",
    "atin": "ATIN|ATIN #|adoption TIN|Adoption Taxpayer Identification No.|child's ATIN",
    "ein": "EIN|EIN#|EIN No.|E.I.N.|FEIN|FEIN#|Federal EIN|Fed. ID|Federal Tax ID #|Fed Tax ID No.|Employer ID number|Employer Identification No.|Tax ID (EIN)|LLC's EIN|loan-out EIN|company EIN|Withholding agent's EIN|Payer's federal identification number|Box b employer ID|"
           "employer_ein|federalTaxId|Business tax ID number",
    "qi-ein": "QI-EIN|QI EIN|WP-EIN|WT-EIN|EIN (QI)|Qualified Intermediary EIN",
    "ptin": "PTIN|PTIN#|Preparer's PTIN|Paid preparer PTIN|P-TIN|Preparer tax ID number",
    "caf": "CAF No.|CAF #|CAF|Representative CAF number|Rep's CAF no.|CAF number (Form 2848)",
    "giin": "GIIN|GIIN:|FATCA GIIN|FFI's GIIN|IRS GIIN",
    "efin": "EFIN|EFIN #|ERO's EFIN|Electronic Filing ID Number (EFIN)|EFIN number",
    "etin": "ETIN|ETIN No.|Transmitter's ETIN|Electronic Transmitter ID (ETIN)",
    "ip-pin": "IP PIN|IPPIN|IRS IP PIN|6-digit IP PIN|Identity Protection PIN|IP PIN (CP01A)",
    "passport": "Passport No|Passport #|passport num|PP No.|Passport/Travel doc no.|Passport Number|passport_no|Her passport|Passport (valid to 2031)",
    "visa": "Visa foil no.|Visa number|US visa no.|visa foil number|Visa (foil)", "card": "Credit card|CC|Card No.|Card #|cc number|Corporate card|Visa|Amex card|card on file",
    "nino": "NINO|NI Number|Nat. Insurance No.|N.I. no.|National Insurance No", "utr": "UTR|HMRC UTR no.|Unique Taxpayer Ref|Self Assessment UTR", "sin": "SIN|S.I.N.|Social Insurance No.|Canadian SIN #|SIN number",
    "idnr": "Steuer-ID|IdNr|Steuerliche IdNr.|German tax ID (IdNr)|Steueridentifikationsnr.", "spi": "Numéro fiscal|N° fiscal|SPI|French tax ID|numéro fiscal (SPI)", "dni": "DNI|D.N.I. n.º|DNI/NIF|NIF|Spanish ID (DNI)",
    "nie": "NIE|N.I.E.|Spanish NIE no.|NIE número", "cf": "Codice Fiscale|Cod. Fisc.|C.F.|CF|Italian CF", "bsn": "BSN|BSN-nummer|Burgerservicenr.|Dutch BSN|BSN/sofi", "tfn": "TFN|Tax File No.|AU TFN|tax file number (TFN)",
    "mynumber": "My Number|Individual Number (My Number)|マイナンバー|個人番号", "cpf": "CPF|C.P.F.|CPF n.º|CPF (Brasil)", "personnummer": "Personnummer|Personnr|Swedish personal ID (personnummer)|Pers.nr.", "ppsn": "PPS No.|PPSN|PPS Number|Irish PPSN",
    "rfc": "RFC|R.F.C.|RFC (México)|RFC con homoclave", "pan": "PAN|PAN No.|PAN card|Permanent Account No. (PAN)", "iban": "IBAN|IBAN no.|account IBAN|Bank (IBAN)",
}  # fmt: skip

SHAPES = (
    "{l}: {v}", "{l} - {v}", "{l} = {v}", "{l}\t{v}", "{l}.......... {v}", "{l} >> {v}", "{l}:{v}", "{l} {v}.", "({l} {v})", "<{l}> {v}", "*{l}*: {v}", "**{l}:** {v}",
    "{l}:\n{v}", "{l}\n\n{v}", "  {l}\n    {v}", "| {l} | {v} |", "- {n}\n- {l}: {v}\n- {city}", "1. {n}\n2. {l} {v}\n3. {city}", '"{l}": "{v}"', "{l}='{v}'", "<{k}>{v}</{k}>", "{k}={v}&name={g}", "{k}: '{v}'", "{l} is: “{v}”",
    "Payee: {n}\nAddress: {city}\n{l}: {v}\nPhone: {tel}\nAmount: {money}", "Name ........ {n}\n{l} ........ {v}\nDOB ........ see passport", "{n} / {l} / {v}", "{n}, {l} {v}, {city}", "{v} is {g}'s {l}.", "{v} <- {l} ({g})", "{v} ({l}, {n})",
    "Tel: {tel}\n{l}: {v}\nFax: {tel}", "Invoice {inv} is for {n}. {l} {v}. Please pay by Friday.", "Re: case {inv} - the taxpayer's {l} is {v}", "Call me at {tel} about this. {l} {v}.", "Order {inv} has shipped, and here's the {l} you wanted: {v}",
    "Regarding the {l} of our lead performer {n}, who joined us only last fall: it is {v}.", "Per the notice, the {l} should read {v} and not what we wrote before.", "pls add {v} as {l} for {g}, thx", "got the letter today!! {l}: {v}", "{l}? {v}",
    "Q: {l}?\nA: {v}", "> What's the {l} for {n}?\n{v}", ">> {l}: {v}\n> thanks, got it", "I'm {n}. {l} {v}. I live in {city} and play with {act}.", "{n} was issued {l} {v} by the IRS.", 'We enter {v} in the field "{l}", correct?',
    "The W-9 says {l} {v}.", "W-8BEN: {n}, {l} {v}", "Form 13930 for {n}: {l} {v}, events in {city}", "Please find below the data of the artist\n\nName:    {n}\n{l}:    {v}\nCity:    {city}", "Artist data sheet\nStage name: {act}\nLegal name: {n}\n{l}: {v}\nAgent: {tel}",
    "Contract rider, section 9: Artist's {l} is {v}.", "hi {g} - for the 1099 we have {l} {v}, ok?", "Between us: {v}. That's the {l}.", "the number on the card ({l}) is {v}", "corrected {l}: {v} (old one was a typo)", "{g}'s {l}, once more, slowly: {v}",
    "NAME={n};{k}={v};CITY={city}", "{n}\n{city}\n{tel}\n{l} {v}", "Beneficial owner {n}\nU.S. {l} {v}\nReference {inv}", "-----\n{l}\n-----\n{v}\n-----", "cc: payroll. {l} for the onboarding: {v}", "P.S. My {l}: {v}",
)  # fmt: skip


def said(rng: Random, variant: str, value: str, owner: str, given: str) -> str:
    """A number as somebody else gives it; `value` may be marked and disguised."""
    label = rng.choice(CALLED[variant].split("|"))
    if rng.random() < 0.12:
        label = rng.choice([label.lower(), label.upper()])
    slots = {
        "l": label.rstrip(":"), "k": label.lower().replace(" ", "_").replace(".", "").replace("#", "").replace("'", "").strip("_"), "v": value, "n": owner, "g": given, "city": people.city(rng), "tel": people.telephone(rng),
        "money": people.money(rng, 9000), "inv": digits(rng, rng.choice([4, 6, 8])), "act": people.act(rng),
    }  # fmt: skip
    return expand(rng, rng.choice(SHAPES), slots)


FACTS = (
    "On the {year} 1040-NR of {n}: total income {m}, tax {m2}.", "{n}'s W-2 [shows|has] wages of {m} and {m2} withheld.", "The IRS [wants|claims] {m} from {n} for {year}.",
    "{n} - {year} - AGI {m} - refund {m2}", "[Mr.|Ms.] {f} still owes the IRS {m} for {year}.", "We withheld 30% ({m2}) from [Mr.|Ms.] {f}'s fee of {m}.", "{n} got a refund of {m2} for {year}.", "Box 1 of {n}'s W-2: {m}. Box 2: {m2}.",
    "Transcript for {n}, tax year {year}: wages {m}, federal income tax withheld {m2}, balance due {m}.", "{n}: taxable income {m}, total tax {m2}, filing status single.", "Notice CP2000 for {n}: the IRS proposes {m2} more tax for {year}.",
    "CWA for {n}: gross income {m}, expenses {m2}, withholding to be set on the net income.", "[Mr.|Ms.] {f} is under audit for tax year {year}; the agent disallowed {m}.", "{n}'s net income from the {year} tour was {m}, the tax withheld {m2}.",
    "Name: {n}\nTax year: {year}\nAdjusted gross income: {m}\nRefund: {m2}", "{n} has not filed a tax return for {year} and owes the IRS {m}.", "Form 1042-S, {n}: gross income {m}, federal tax withheld {m2}.", "{n}'s estimated tax payments for {year} came to {m2}; tax liability {m}.",
)  # fmt: skip


def fact(rng: Random, owner: str, family: str) -> str:
    """Return information of a person, in other words."""
    slots = {"n": owner, "f": family, "m": people.dollars(rng), "m2": people.dollars(rng, 500, 90_000), "year": str(rng.randint(2018, 2025))}  # fmt: skip
    return expand(rng, rng.choice(FACTS), slots)


BORN = (
    "DOB {v}", "D.O.B.: {v}", "Date of Birth - {v}", "Birthdate: {v}", "{n} (born {v})", "{n}, b. {v}", "{n} | DOB {v} | {city}", "date_of_birth={v}", "Geb.: {v}", "birth date {v}, {n}", "{n}\nDOB: {v}\nCitizenship: see below", "Passenger {n}, date of birth {v}",
    "{n} will be 40: born {v}", "dob is {v} ({n})", "My birthday is {v}, {n}", "Applicant: {n}. Born on {v} in {city}.", "<dob>{v}</dob><name>{n}</name>", '"dateOfBirth": "{v}", "name": "{n}"',
)  # fmt: skip

WIRES = (
    "RTN/Acct: {r}/{v}", "ABA# {r} A/C# {v}", "Routing: {r}  Account: {v}", "Routing no {r}; checking account {v}", "Bank account {v}, routing {r}, name {n}", "Wire: ABA {r}, account no. {v}, beneficiary {n}", "Please deposit {g}'s refund: routing number {r}, account number {v} (checking)",
    "Acct Name: {n}\nAcct No: {v}\nABA: {r}", "routing {r}\nacct {v}", "Direct deposit form\nBank routing number: {r}\nAccount number: {v}\nType: savings", "Our account with {city} Bank is {v} (ABA {r}).", "ACH credits: {r} / {v} / {n}",
)  # fmt: skip
