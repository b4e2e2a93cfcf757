"""What tests look at when they look for words that must not be there: all that is said, and nothing random."""

from __future__ import annotations

import os
from base64 import b64encode
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from tests.said import said, said_in


def mail() -> EmailMessage:
    made = EmailMessage(SMTP)
    made["DKIM-Signature"] = "v=1; b=abcdrAulefgh"
    made["Message-ID"] = "<raul@gateway.example>"
    made["From"] = "Raúl One <one@gateway.example>"
    made["Subject"] = "Für Raul Two"
    made.set_content("Here is Raul Three.\n", cte="base64")
    made.add_attachment(b"raul", "application", "octet-stream", filename="Raul Four.bin")
    inner = EmailMessage(SMTP)
    inner["Subject"] = "Raul Five"
    inner.set_content("<p>Raul Six</p>", subtype="html", cte="quoted-printable")
    made.add_attachment(inner)
    return made


@pytest.mark.parametrize("words", ["Raúl One", "Raul Two", "Raul Three", "Raul Four", "Raul Five", "Raul Six"])
def test_words_are_found_wherever_a_person_reads_them(words: str) -> None:
    assert words in said_in(mail().as_bytes())


def test_signatures_and_ids_say_nothing() -> None:
    assert said_in(mail().as_bytes()).lower().count("raul") == 6  # the file is named by its field, too


@pytest.mark.parametrize(
    "random",
    ["T-SM-55AB-2848", "sm-7k2q-9f4t", "0193" * 8, b64encode(b"Ines" + bytes(60)).decode(), "raul5" * 6],
)
def test_what_is_random_is_no_word(random: str) -> None:
    assert said(f"before {random} after").split() == ["before", "after"]


@pytest.mark.parametrize("place", ["https://localhost:15410/", "127.0.0.1:15410", "at localhost:15410."])
def test_a_port_is_no_number(place: str) -> None:
    assert "15410" not in said(place)


def test_words_and_numbers_beside_it_stay() -> None:
    text = "SSN 536-41-2879 of Ines at tours.example, from 2026-11-23T10:00"
    assert said(f"{text} {os.urandom(16).hex()}1").strip() == text
