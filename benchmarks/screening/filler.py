"""What business mail in this trade says when it says nothing about anybody's taxes: sentences, greetings, signatures."""

from __future__ import annotations

from random import Random

from benchmarks.screening import people
from benchmarks.screening.grammar import expand
from benchmarks.screening.people import Person

GREETINGS = {
    "en": "Hi {g},|Hello {g},|Dear {g},|Dear Mr. {f},|Dear Ms. {f},|{g},|Good morning {g},|Hi team,|Hey,|To whom it may concern,|",
    "es": "Hola {g}:|Estimado {g}:|Buenos días,|Estimada señora {f}:|Buenas tardes, {g},", "de": "Hallo {g},|Sehr geehrte Frau {f},|Sehr geehrter Herr {f},|Liebe {g},|Guten Tag,",
    "fr": "Bonjour {g},|Madame, Monsieur,|Chère {g},|Bonsoir,|Cher {g},", "pt": "Olá {g},|Bom dia, {g},|Prezado {g},|Caros,",
    "it": "Ciao {g},|Gentile {g},|Buongiorno,|Spett.le {f},", "nl": "Hoi {g},|Beste {g},|Geachte heer {f},", "ja": "{f}様|お世話になっております。|{f}さん、",
    "zh": "{f}您好：|您好，|尊敬的{f}：", "ru": "Здравствуйте, {g}!|Добрый день!|Уважаемая {g},", "pl": "Dzień dobry,|Cześć {g},|Szanowna Pani,",
    "ko": "{f}님 안녕하세요,|안녕하세요,", "sv": "Hej {g},|Hej!",
}  # fmt: skip
CLOSINGS = {
    "en": "Best,|Best regards,|Thanks,|Many thanks,|Kind regards,|Sincerely,|Cheers,|Thx|Talk soon,|Regards,|",
    "es": "Un saludo,|Saludos cordiales,|Atentamente,|Un abrazo,|Gracias,", "de": "Viele Grüße|Mit freundlichen Grüßen|Beste Grüße|LG|Herzliche Grüße",
    "fr": "Cordialement,|Bien à vous,|Bien cordialement,|Merci d'avance,", "pt": "Abraços,|Atenciosamente,|Obrigado,|Com os melhores cumprimentos,",
    "it": "Cordiali saluti,|Grazie,|A presto,|Un caro saluto,", "nl": "Met vriendelijke groet,|Groeten,|Mvg,", "ja": "よろしくお願いいたします。|以上、よろしくお願い致します。",
    "zh": "谢谢！|此致敬礼|祝好，", "ru": "С уважением,|Спасибо!|Всего доброго,", "pl": "Pozdrawiam,|Z poważaniem,|Dziękuję,", "ko": "감사합니다.|고맙습니다.",
    "sv": "Vänliga hälsningar,|Mvh|Hälsningar,",
}  # fmt: skip
SENTENCES = {
    "en": (
        "[The promoter|The venue|The festival office|Our booker] [confirmed|moved|pencilled in|cancelled] the [show|match|date|gala] [in|at] {venue} [for|on] {day}.",
        "[Load-in|Doors|Sound check|Press call|Warm-up] is at {hour}[ sharp|, please be early|, the bus leaves the hotel an hour before|].",
        "[Attached is|Please find enclosed|I attach|Here is] the [signed contract|revised itinerary|stage plot|rider|run of show|deal memo|hotel list|travel plan] for {act}.",
        "The guarantee is {money} [plus|versus] {percent}% of the net [box office|gate] receipts[, whichever is greater|].",
        "[Ticket gross|Box office|The settlement] for {city} [came to|closed at|was] {money} on {count} [tickets|seats].",
        "[Could you|Can you|Please] [review|sign|forward|check|countersign] the [agreement|addendum|schedule|call sheet] [before {day}|by Friday|when you get a chance|today]?",
        "We [still need|are waiting for|did not get] the [certificate of insurance|visa approval notice|passport photos|per diem sheet|W-8BEN|signed page 3].",
        "A central withholding agreement [must be requested|has to be filed] at least 45 days before the first event[, so time is short|].",
        "[The agency's|Their|Your] answer of {day} [mentions|refers to] the [budget|itinerary|list of events] only.",
        "Flights for {count} people on {airline} {flight} land at {hour}; [vans|a coach] will wait at arrivals.",
        "[My|Our] direct line is {phone}[, mobile {phone2}|].",
        "{act} [will play|plays|is booked for] {count} dates between {day} and {day2}.",
        "The [lighting desk|backline|merch|wardrobe] [truck|container|shipment] left {city} on {day}.",
        "[Let me know|Tell me|Shout] if [anything is missing|that works|the dates clash|you have questions].",
        "The hotel in {city} holds {count} rooms under {firm}[, breakfast included|].",
        "Invoice {invoice} over {money} [is due|was paid|remains open] on {day}.",
        "[I will be|I'm] out of the office until {day}[; {firm} covers for me|].",
        "Crew call moved from {hour} to {hour2}[ because of the marathon|, curfew is 23:00|].",
        "[The league|The federation|The union] [asks|insists] that [players|dancers|musicians] get [one day off|rest] after {count} games.",
        "Per diems are {money} a day[ and paid in cash|, as last year|].",
        "[The orchestra|The company|The team] travels with {count} people, {percent} of them [strings|dancers|staff].",
        "[Did you get|Have you seen] the [poster|press photo|biography|artwork]? The [printer|label|web team] needs it at 300 dpi.",
    ),
    "es": (
        "El concierto en {venue} se [confirmó|aplazó] para el {day}.", "[Adjunto|Te mando] el [contrato|itinerario|rider] de {act}.", "La taquilla de {city} fue de {money} con {count} entradas.",
        "[Quedo|Quedamos] a la espera de tu respuesta[ antes del {day}|].", "Mi teléfono es {phone}.", "La factura {invoice} por {money} vence el {day}.",
    ),
    "de": (
        "Das Konzert in {city} ist [bestätigt|verschoben] auf den {day}.", "[Anbei|Im Anhang] [der Vertrag|die Reiseplanung|der Rider] für {act}.", "Einlass ist um {hour}, Soundcheck um {hour2}.",
        "Sie erreichen mich unter {phone}[ oder mobil {phone2}|].", "Die Rechnung {invoice} über {money} ist am {day} fällig.", "Wir haben {count} Karten verkauft, das macht {money}.",
    ),
    "fr": (
        "Le concert à {city} est [confirmé|reporté] au {day}.", "[Ci-joint|Vous trouverez] le [contrat|planning|rider] de {act}.", "La billetterie s'élève à {money} pour {count} places.",
        "Vous pouvez me joindre au {phone}.", "La facture {invoice} de {money} est à régler avant le {day}.",
    ),
    "pt": ("O show em {city} foi [confirmado|adiado] para {day}.", "[Segue|Envio] o [contrato|rider] de {act}.", "A bilheteria foi de {money} com {count} ingressos.", "Meu telefone é {phone}."),
    "it": ("Il concerto a {city} è [confermato|rinviato] al {day}.", "In allegato il [contratto|rider|programma] di {act}.", "L'incasso è stato di {money} con {count} biglietti.", "Il mio numero è {phone}."),
    "nl": ("Het concert in {city} is [bevestigd|verplaatst] naar {day}.", "Bijgaand [het contract|de planning] van {act}.", "Ik ben bereikbaar op {phone}."),
    "ja": ("{city}公演は{day}に決まりました。", "契約書を添付いたします。", "{act}の日程をご確認ください。", "電話番号は{phone}です。", "チケットは{count}枚売れました。"),
    "zh": ("{city}的演出定于{day}。", "附件是{act}的合同。", "请在{day}之前回复。", "我的电话是{phone}。", "票房收入为{money}。"),
    "ru": ("Концерт в {city} [подтверждён|перенесён] на {day}.", "Во вложении договор с {act}.", "Мой телефон {phone}.", "Продано {count} билетов на сумму {money}."),
    "pl": ("Koncert w {city} [potwierdzony|przełożony] na {day}.", "W załączniku umowa z {act}.", "Mój telefon: {phone}.", "Sprzedano {count} biletów za {money}."),
    "ko": ("{city} 공연은 {day}로 확정되었습니다.", "{act} 계약서를 첨부합니다.", "제 연락처는 {phone}입니다."),
    "sv": ("Konserten i {city} är flyttad till {day}.", "Bifogat finns kontraktet för {act}.", "Jag nås på {phone}."),
}  # fmt: skip
SUBJECTS = {
    "en": "{act} - {city} [itinerary|contract|settlement|advance]|[Re: |Fwd: |]{venue} {day}|[RE: |]CWA [application|request] for {act}|[Question|Update|Reminder]: {act}|{act} US tour {year}|"
    "Invoice {invoice}|[Quick question|Following up|Documents|As requested|Your call]|[Travel|Hotel|Visa] {city}|Withholding for {act}|{firm} / {act}|Tour accounting {year}",
    "es": "Gira {act} {year}|Contrato {city}|[RE: |]Documentos de {act}", "de": "{act}: Konzert {city}|AW: Vertrag {act}|Unterlagen {year}", "fr": "Tournée {act}|Re: contrat {city}|Dossier {act} {year}",
    "pt": "Turnê {act}|RES: contrato {city}", "it": "Tour {act} {year}|R: contratto {city}", "nl": "Tournee {act}|Re: contract {city}", "ja": "{act} 公演について|Re: 契約書", "zh": "{act} 演出合同|回复: {city}",
    "ru": "Гастроли {act}|Re: договор {city}", "pl": "Trasa {act}|Odp: umowa {city}", "ko": "{act} 공연 관련|Re: 계약서", "sv": "Turné {act}|SV: avtal {city}",
}  # fmt: skip
TITLES = (
    "Tour Accountant|Business Manager|Tax Manager|Partner|Enrolled Agent|CPA|Artist Manager|Booking Agent|Director of Finance|"
    "Paralegal|Tour Manager|Payroll Lead|Head of Touring|Associate|Steuerberaterin|Gestor|Legal Assistant|Controller"
).split("|")


def slots(rng: Random, language: str) -> dict[str, str]:
    """Fresh words for every slot of the sentences above."""
    return {
        "venue": people.venue(rng), "day": people.day_text(rng, people.day(rng, 2024, 2026), language), "act": people.act(rng),
        "day2": people.day_text(rng, people.day(rng, 2024, 2026), language), "city": people.city(rng), "money": people.money(rng),
        "hour": f"{rng.randint(7, 22)}:{rng.choice(['00', '15', '30', '45'])}", "hour2": f"{rng.randint(1, 11)} pm",
        "percent": str(rng.randint(5, 90)), "count": str(rng.randint(2, 4800)), "firm": people.firm(rng),
        "airline": rng.choice(["UA", "DL", "LH", "BA", "AF", "KL", "IB", "JL", "TP"]), "flight": str(rng.randint(12, 9899)),
        "phone": people.telephone(rng), "phone2": people.telephone(rng), "year": str(rng.randint(2023, 2027)),
        "invoice": rng.choice(["INV-{:05}", "{:06}", "2025-{:04}", "RE{:07}", "#{:05}"]).format(rng.randint(1, 9999)),
    }  # fmt: skip


def sentence(rng: Random, language: str) -> str:
    known = SENTENCES.get(language, SENTENCES["en"])
    return expand(rng, rng.choice(known), slots(rng, language))


def paragraph(rng: Random, language: str, most: int = 4) -> str:
    joint = "" if language in {"ja", "zh"} else " "
    return joint.join(sentence(rng, language) for _ in range(rng.randint(1, most)))


def subject(rng: Random, language: str) -> str:
    known = SUBJECTS.get(language, SUBJECTS["en"])
    # Alternatives stand outside the brackets here too.
    return expand(rng, f"[{_outer(rng, known)}]" if "[" not in known else _outer(rng, known), slots(rng, language))


def _outer(rng: Random, alternatives: str) -> str:
    """One of the alternatives that stand outside of any bracket."""
    depth, pieces = 0, [""]
    for mark in alternatives:
        depth += (mark == "[") - (mark == "]")
        if mark == "|" and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += mark
    return rng.choice(pieces)


def greeting(rng: Random, language: str, to: Person) -> str:
    return expand(rng, rng.choice(GREETINGS.get(language, GREETINGS["en"]).split("|")), {"g": to.given, "f": to.family})


def closing(rng: Random, language: str) -> str:
    return rng.choice(CLOSINGS.get(language, CLOSINGS["en"]).split("|"))


def signature(rng: Random, writer: Person) -> list[str]:
    """Zero to seven lines under a mail."""
    kind = rng.random()
    if kind < 0.3:
        return [writer.given]
    lines = [writer.name, f"{rng.choice(TITLES)}, {writer.firm}"]
    if kind > 0.45:
        lines.append(
            rng.choice(["T {}", "Tel. {}", "Phone: {}", "p: {}", "{}", "O: {}"]).format(
                people.telephone(rng, writer.country)
            )
        )
    if kind > 0.6:
        lines.append(
            rng.choice(["M {}", "Mobile {}", "c: {}", "Fax {}", "F: {}"]).format(people.telephone(rng, writer.country))
        )
    if kind > 0.7:
        lines.append(f"{people.street(rng)}, {people.city(rng)}")
    if kind > 0.8:
        lines.append(rng.choice([f"www.{writer.domain}", f"https://{writer.domain}/", writer.address]))
    if kind > 0.9:
        lines.append(DISCLAIMER)
    return lines


DISCLAIMER = (
    "This e-mail and any attachments are confidential and may be privileged. If you are not the intended recipient, please "
    "notify the sender and delete it. Any tax advice herein was not intended to be used to avoid penalties."
)
