"""Ordinary sentences, lines and tables of all kinds: what is said of a number decides, however it is said."""

from __future__ import annotations

import pytest

from gateway.domain.verdict import Kind
from gateway.screening.chunk import Form
from tests.unit.screening.judging import kinds

LETTER = "Hello Ms. Mercer,\n\nthe van is late and breakfast is at eight.\n\n{}\n\nKind regards,\nPaula\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Between us: 512349876. That's her SSN.", Kind.SSN),
        ("512349876 is Maria's Social Security No.", Kind.SSN),
        ("please add 512349876 as SSN for Maria, thx", Kind.SSN),
        ("512349876 <- SSN (Maria)", Kind.SSN),
        ("What's the ITIN of Maria Lopez?\n912701234", Kind.ITIN),
        ("What's the ITIN of Maria Lopez? It's 912701234", Kind.ITIN),
        ("SSN (for the 1099, please): 512349876", Kind.SSN),
        ("employerIdentificationNumber=12-3456788", Kind.EIN),
        ("<socialsecuritynumber>512349876</socialsecuritynumber>", Kind.SSN),
        ("ip_pin=512349&name=Maria", Kind.IP_PIN),
        ("IP PIN (CP01A)\t512349", Kind.IP_PIN),
        ("What is the ETIN No. of Maria Lopez?\n51234", Kind.ETIN),
        ("[10:02] Ann: could you give me the IP PIN of Mary\n[10:03] Ben: sec\n[10:04] Ben: 452437", Kind.IP_PIN),
        ("Le numéro d'identité: el número de identidad de extranjero es Z - 3063274-R", Kind.FOREIGN_TIN),
        ("Maria Lopez, b. 3/9/00", Kind.BIRTH_DATE),
        ("RTN/Acct: 021000021/185313938257", Kind.BANK),
        ("ABA# 021000021 A/C# 98640916", Kind.BANK),
        ("ACH credits: 021000021 / 5787666448 / Maria Lopez", Kind.BANK),
        ("Passport/visa: her passport is KR9WKZX85", Kind.PASSPORT),
        ("número do visto: 469\n43454", Kind.VISA),
        ("bank account: BE68539007547034\nMessage: none", Kind.IBAN),
        ("Irish PPSN 1234567TW, Dublin", Kind.FOREIGN_TIN),
        ("Por favor confirma que el PIN de protección de identidad de Dominic es\n209988", Kind.IP_PIN),
        ("Her Permanent Account Number for the\napplication is WCRPG8994A, as last year", Kind.FOREIGN_TIN),
        ("Taxpayer taxpayer no. of the co Status\nJian Huang 956-59-1238 P-1", Kind.ITIN),
        ("t=1634528013 status=200\n\n537-71-5095", Kind.SSN),
        ("DoB: 14.03.80, place Leeds", Kind.BIRTH_DATE),
        ("生年月日 1980年3月14日", Kind.BIRTH_DATE),
        ("Direct deposit: RTN 322271627, checking 5551239876", Kind.BANK),
        ("CLABE 032180000118359719", Kind.BANK),
        ("BSB 062-000 Acc 12349876", Kind.BANK),
        ("SSN 512 dash 34 dash 9876", Kind.SSN),
        ("SSN: 512, then 34, followed by 9876", Kind.SSN),
        ("ITIN 912 space 70 space 1234", Kind.ITIN),
        ("SSN area 512, group 34, serial 9876", Kind.SSN),
        ("Socail Securty Number: 512349876", Kind.SSN),
        ("Taxpayer identifcation number 912 70 1234", Kind.ITIN),
        ("FATCA GIIN IMOEDR.99999.BR.040", Kind.GIIN),
    ],
)
def test_a_number_is_found_wherever_its_words_stand(text: str, kind: Kind) -> None:
    assert kind in kinds(LETTER.format(text))


@pytest.mark.parametrize(
    "text",
    [
        "Please wire through our bank; its routing number is 021000021, as its page says.",
        "Your electric bill is ready. Account number: 5123498761 Amount due: $95.46",
        "Subscription 7e7a; account id 512349876123; role deploy",
        "Check-sum f1aba046 of 124192085 bytes",
        "Ask Mr. MacLeod, 512-34-9876x is in the log",
        "Message <51CERT4LX1QI.215336711@venue.example>",
        "The ISWC is T-800.723.776-1, the ISRC FR-INN-56-88787, the work 379953584",
        "Server 228.223.127.96 answered",
        "Container ARAU3416082, seal 1431131, B/L PXWK590606835",
        "Para 08/03/2025. A banda toca em Denver",
        "The passport number was left off page 2 of contract 7889378.",
        "I will give you the tax ID on the phone, 02 97956838.",
        "We need Matilda's Social Security number, but call me with it at 212 293 595.",
        "Her PTIN is pending since 05/26/2024.",
        "The visa interview moved to 11/16/23, 11:15 AM.",
        "T: +46 8 725 877 82\n6705 Lexington Boulevard",
        "Alex Grove\nController, Encore Artists\n688 58 62 84",
        "Check 1, one two three four five six seven eight nine",
        "The group plays first 338 games, then 45 minutes rest; last year 2026 in May 22 2026",
        "Version 2.3774.600.62 of the visa form",
        "We don't have her SSN. Order 512349876 has shipped.",
        "All ages show; you must be born before 01/12/2005 to drink.",
        "Checking 512349876 boxes in at the bank",
    ],
)
def test_numbers_of_other_trades_pass(text: str) -> None:
    assert kinds(LETTER.format(text)) == set()


def test_what_is_typed_into_a_form_on_a_page_is_read_beside_its_label() -> None:
    fields = '<p>SSN <input name="a" value="512">-<input value=34>-<input value="9876"></p>'
    assert Kind.SSN in kinds(fields, form=Form.HTML)
    assert kinds('<p>SSN <input type="hidden" value="512349876x1"></p>', form=Form.HTML) == set()


def test_a_fact_without_an_amount_needs_words_of_tax() -> None:
    assert kinds("Ann Harmon claimed no copyright. The audit of the box office by Ann Harmon is done.") == set()
    assert kinds("The IRS wrote: Ann Harmon is under audit for tax year 2023.") == {Kind.RETURN_INFORMATION}
    assert kinds("The IRS wants $108,470 from Ann Harmon for 2021.") == {Kind.RETURN_INFORMATION}


def test_a_label_speaks_for_a_column_that_is_read_line_by_line() -> None:
    assert kinds("Social Security\npending\nn/a\n512349876\nFull name\nAnn Harmon\nTom Vance") == {Kind.SSN}
    assert kinds("Taxpayer Form TIN\nBram Vries complete pending\nNigel MacLeod received 512-34-9876") == {Kind.SSN}
    code = "def total_of(ssn_field, tin=None):\n    index = 0.566228443\n    width = 315503683\n    return total"
    assert kinds(code) == set()


def test_commas_inside_cells_part_no_columns() -> None:
    rows = (
        "Name             Passport no.  DOB               Role\nAda Eze          25VT76006     November 1, 1980  keys\n"
    )
    assert kinds(rows) >= {Kind.PASSPORT, Kind.BIRTH_DATE}
    assert kinds("Artist, birthdate\nTom Vance, to follow\nAda Eze, November 28, 1959") == {Kind.BIRTH_DATE}


def test_the_label_of_a_field_speaks_over_the_cell_between() -> None:
    assert kinds("Name\tAda Eze\nfederal ID number | Ada Eze\t75 0704629\n", form=Form.FIELDS) == {Kind.EIN}


def test_pieces_belong_together_only_from_first_to_last_and_near() -> None:
    split = "Her SSN starts with 512. Then comes 34. It ends in 9876."
    assert kinds(split) == {Kind.SSN}
    assert (
        kinds("First 338 seats went. Her SSN is asked for.\n\n" + "The show went on. " * 40 + "Last row 073724.")
        == set()
    )


def test_the_date_of_a_quoted_mail_answers_no_question() -> None:
    asked = "What is her date of birth?\n\nVon: Ada Eze\nGesendet: 1 May 1984\nAn: Tom Vance\n"
    assert kinds(asked) == set()


@pytest.mark.parametrize(
    "field",
    [
        "Feedback-ID: 153975342:153975342.8987958:us1:mc",
        "X-Microsoft-Antispam: BCL:0;ARA:13230040|376014|512349876|41320700013;",
        'X-IronPort-AV: E=McAfee;i="6700,10204,45371"; a="512349876"',
        "X-CID: 512349876\nX-Job: 612349876_7534147",
        "Message-ID: <51CERT4LX1QI.512349876@venue.example>",
    ],
)
def test_ids_in_the_fields_of_machines_are_nobody_s(field: str) -> None:
    examined = kinds("Question about my ITIN and my SSN", field, form=Form.HEADER)
    assert examined == set()
    assert kinds("A question", "X-Note: my SSN is 512349876", form=Form.HEADER) == {Kind.SSN}


def test_a_code_of_a_conference_answers_no_question_of_taxes() -> None:
    assert kinds("Your IP PIN\n\nMeeting ID: 003 2360 4279\nPasscode: 855776\nHost key: 444655") == set()


def test_a_row_of_a_list_is_no_card() -> None:
    assert kinds("Fixed:\n  4176, 4177, 4185, 4187, 4189, 4225, 4243, 4245\n  [#4102,#4208,#4209,#4210]") == set()
