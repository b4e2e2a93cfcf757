"""Sentences that carry a number: `{l}` its label, `{v}` the number, `{n}` whose it is, `{g}` the given name."""

from __future__ import annotations

LABELLED: dict[str, tuple[str, ...]] = {
    "en": (
        "[Hi all, |As discussed, |Following up on this morning's call: |For the CWA file: |]{n}'s {l} is {v}.",
        "[Please use|Kindly use|You should use|We need you to use] {l} {v} for {n} [on the application|when you file|on the 1042-S|].",
        "{l}: {v} [({n})|for {n}|- {n}|]",
        "{n} ({l} {v}) [will appear in {city} in the spring|is the main performer|signed the contract today|has no U.S. office].",
        "[I just got it from {g}|She finally replied|He texted me]: {l} = {v}",
        "[Could you confirm|Can you check|Please verify] that the {l} on file for {n} [is|reads|shows] {v}?",
        "My {l} is {v}[, let me know if you need anything else|, and my manager has the rest|. Thanks {g}|].",
        "We [hold|have|found] the following for {n}: {l} {v}[, address in {city}| and a {city} address|].",
        "The [agency|IRS|withholding desk|bank] asked again for {g}'s {l}; it is {v}[. Please do not print this|].",
        "{n}, {l} {v}, [performs with {act}|plays for {act}|is signed to {firm}].",
        "[Re your question, t|T]he {l} you wanted[ for {n}|]: {v}",
        "[fwiw|btw|just so you have it] {g}s {l} [is|-] {v}",
        "On behalf of {n} we [submit|provide|hereby give] the {l} {v} [as required|per your request of last week|for your records].",
        "{act} / {n} / {l} {v} / {city}",
        "Do not lose this one again :) {l} for {g} --> {v}",
    ),
    "es": (
        "[Buenos días, |Según lo hablado, |]el {l} de {n} es {v}.",
        "{l}: {v} ({n})",
        "Adjunto los datos de {n}: {l} {v}, [residente en {city}|artista principal|músico de {act}].",
        "[¿Podrías confirmar|Por favor confirma] que el {l} de {g} es {v}?",
        "Mi {l} es {v}[, cualquier cosa me avisas|. Un saludo|].",
        "[Para la solicitud|Para el formulario] de {n} usamos {l} {v}.",
    ),
    "de": (
        "[Hallo zusammen, |Wie besprochen, |Anbei nochmals: ]die {l} von {n} lautet {v}.",
        "{l}: {v} ({n})",
        "[Bitte verwenden Sie|Bitte trag] für {n} die {l} {v} [ein|im Antrag|auf dem Formular].",
        "Meine {l} ist {v}[, bitte vertraulich behandeln|. Viele Grüße|].",
        "Für {act} liegt uns von {g} nun die {l} {v} vor.",
        "[Stimmt|Ist] die {l} {v} [für|von] {n}?",
    ),
    "fr": (
        "[Bonjour, |Comme convenu, |]le {l} de {n} est le {v}.",
        "{l} : {v} ({n})",
        "[Merci d'utiliser|Veuillez indiquer] le {l} {v} pour {n}[ dans le dossier|].",
        "Mon {l} est {v}[, à garder pour vous|. Bien cordialement|].",
        "Pour {act}, {g} nous a transmis son {l} : {v}.",
    ),
    "pt": (
        "[Bom dia, |Conforme combinado, |]o {l} de {n} é {v}.",
        "{l}: {v} ({n})",
        "[Segue|Envio] o {l} de {g}: {v}[, obrigado|].",
        "Meu {l} é {v}[. Abraços|].",
    ),
    "it": (
        "[Buongiorno, |Come d'accordo, |]il {l} di {n} è {v}.",
        "{l}: {v} ({n})",
        "[Vi comunico|Ecco] il {l} di {g}: {v}[, grazie|].",
        "Il mio {l} è {v}[. Cordiali saluti|].",
    ),
    "nl": (
        "Het {l} van {n} is {v}.",
        "{l}: {v} ({n})",
        "[Hoi, |]mijn {l} is {v}.",
        "Voor {act} hebben we van {g} {l} {v} gekregen.",
    ),
    "ja": ("{n}さんの{l}は{v}です。", "{l}：{v}", "ご依頼の{l}は{v}になります（{n}）。", "{n} {l} {v}"),
    "zh": ("{n}的{l}是{v}。", "{l}：{v}", "请使用{l} {v}（{n}）提交申请。"),
    "ru": ("{l} {n}: {v}.", "Добрый день, мой {l} {v}.", "Для {n} укажите {l}: {v}."),
    "pl": ("{l} {n} to {v}.", "{l}: {v}", "Dzień dobry, mój {l}: {v}."),
    "ko": ("{n}의 {l}는 {v}입니다.", "{l}: {v}", "요청하신 {l} {v} 보내드립니다."),
    "sv": ("{n} har {l} {v}.", "{l}: {v}", "Mitt {l} är {v}, hör av dig om något saknas."),
}

LABELLED |= {
    "da": ("{n} har {l} {v}.", "{l}: {v}", "Hej, mit {l} er {v}. Venlig hilsen {g}"),
    "no": ("{n} har {l} {v}.", "{l}: {v}", "Hei, mitt {l} er {v}."),
    "fi": ("{n}, {l}: {v}", "{l} on {v}.", "Hei, {l} {v}, terveisin {g}"),
    "cs": ("{l}: {v} ({n})", "Dobrý den, {l} pro {n} je {v}."),
    "hu": ("{l}: {v}", "{n} {l}: {v}.", "Üdvözlöm, a kért {l}: {v}"),
    "ro": ("{l}: {v}", "Bună ziua, {l} pentru {n} este {v}."),
    "uk": ("{l} {n}: {v}.", "Добрий день, мій {l}: {v}."),
    "tr": ("{l}: {v}", "Merhaba, {n} için {l} {v}.", "{n} adlı sanatçının {l}: {v}"),
    "el": ("{l}: {v}", "Καλημέρα, {l} ({n}): {v}."),
    "ar": ("{l}: {v}", "مرحبا، {l} الخاص بـ {n} هو {v}."),
    "he": ("{l}: {v}", "שלום, {l} של {n}: {v}."),
    "hi": ("{l}: {v}", "नमस्ते, {n} की {l} {v} है।"),
    "vi": ("{l}: {v}", "Chào anh, {l} của {n} là {v}."),
    "id": ("{l}: {v}", "Halo, {l} {n} adalah {v}."),
}

# Days of birth are said in words of their own.
BORN: dict[str, tuple[str, ...]] = {
    "en": (
        "{n}, date of birth {v}[, arrives in {city} next week|]", "{n} (DOB {v})", "DOB: {v} ({n})", "{n} was born on {v}[ in {city}|].", "[Her|His|{g}'s] date of birth is {v}.", "Birth date of {n}: {v}",
        "[For the visa|For the flight|For the form]: {n}, born {v}", "I was born on {v}, [the form says otherwise|please correct it]. {n}", "Name: {n}\nDate of birth: {v}\nCity: {city}", "d.o.b. {v} - {n}",
    ),
    "de": ("{n}, geb. {v}", "{n}, geboren am {v}[ in {city}|]", "Geburtsdatum von {n}: {v}", "Ich bin am {v} geboren. {n}", "Name: {n}\nGeburtsdatum: {v}"),
    "fr": ("{n}, né le {v}", "{n}, née le {v}[ à {city}|]", "Date de naissance de {n} : {v}", "Nom : {n}\nDate de naissance : {v}"),
    "es": ("{n}, nacido el {v}[ en {city}|]", "Fecha de nacimiento de {n}: {v}", "Nombre: {n}\nF. nacimiento: {v}"),
    "it": ("{n}, nato il {v}[ a {city}|]", "{n}, nata il {v}", "Data di nascita di {n}: {v}"),
    "pt": ("{n}, nascido em {v}", "Data de nascimento de {n}: {v}"),
    "nl": ("{n}, geboren op {v}", "Geboortedatum van {n}: {v}"),
    "ja": ("{n} 生年月日 {v}", "生年月日：{v}（{n}）"),
    "zh": ("{n}，出生日期：{v}", "出生日期 {v} {n}"),
    "ru": ("{n}, дата рождения {v}", "{n}, год рождения и день: дата рождения {v}"),
    "pl": ("{n}, data urodzenia {v}", "{n}, ur. {v}"),
    "ko": ("{n} 생년월일 {v}",),
}  # fmt: skip

# The number beside a person, and nothing that says what it is.
BARE = (
    "{n}, {v}", "{n}  {v}", "{n} - {v}", "{n} ({v})", "{v} {n}", "{g}: {v}", "{n}\n{v}", "{n}, {city}, {v}", "{act}: {n} {v}",
    "here you go: {v}", "{v}", "{n} / {v} / {city}", "as requested\n\n{v}\n\n{g}", "{n}; {v}; {city}", "{n}\t{v}",
)  # fmt: skip

# Somebody asks, somebody else answers with the number alone.
ASKED = {
    "en": (
        ("[Can|Could] you send me {n}'s {l}?", "What is the {l} for {g}?", "We still need {g}'s {l} before we can file.",
         "Pls advise {l}, the form is due tomorrow"),
        ("[Sure|Of course|Here you go|Yes], {v}", "{v}", "It's {v}.", "[Sorry for the delay|Found it]: {v}", "{v} - that's it"),
    ),
    "es": (("¿Me mandas el {l} de {n}?", "Nos falta el {l} de {g}."), ("Claro: {v}", "{v}", "Es el {v}, perdona la demora.")),
    "de": (("Könntest du mir die {l} von {n} schicken?", "Uns fehlt noch die {l}."), ("Klar: {v}", "{v}", "Das ist die {v}.")),
    "fr": (("Pouvez-vous m'envoyer le {l} de {n} ?", "Il nous manque le {l}."), ("Bien sûr : {v}", "{v}", "C'est le {v}.")),
    "it": (("Mi mandi il {l} di {n}?",), ("Certo: {v}", "{v}")),
    "pt": (("Pode me enviar o {l} de {n}?",), ("Claro: {v}", "{v}")),
}  # fmt: skip

# A number of nine digits given in pieces: {a} the first, {b} the middle, {c} the last digits.
SPLIT = (
    ("{g}'s {l} [starts with|begins with|begins] {a}.", "[The middle two are|Then comes|In the middle:] {b}.", "[It ends in|And the last four are|The last four digits:] {c}."),
    ("The first three [digits |numbers |]of {n}'s {l} are {a}", "the next two {b}", "and the last four {c}"),
    ("{l} of {n}, part one: {a}-{b}.", "[I send the rest separately|The rest follows below].", "Last four: {c}"),
    ("[For security I split the {l}|To be safe I am splitting {g}'s {l}]: first five {a}{b}", "", "last 4 {c}"),
    ("{l} part 1 = {a}", "{l} part 2 = {b}", "{l} part 3 = {c}"),
)  # fmt: skip

HEADS = {
    "name": (
        "Name",
        "Artist",
        "Performer",
        "Payee",
        "Crew member",
        "Recipient",
        "Full name",
        "Musician",
        "Player",
        "Taxpayer",
    ),
    "role": ("Role", "Position", "Function", "Job", "Instrument"),
    "city": ("City", "Residence", "Home base", "Town"),
    "status": ("Status", "Visa status", "Contract", "Form"),
}
ROLES = (
    "lead singer|drums|bass|keys|tour manager|lighting|FOH engineer|monitor engineer|dancer|choreographer|goalkeeper|driver|"
    "guitar|violin|backline|merchandise|wardrobe|stage manager|soloist|conductor|defender|coach|physio|sprinter"
).split("|")
STATES = "signed|pending|O-1B|P-1|P-2|P-3|to follow|received|n/a|missing|complete".split("|")

# Return information of a named person: facts of income, tax, filing, without a number that identifies anybody.
RETURN_INFORMATION = {
    "en": (
        "{n}'s [adjusted gross income|AGI|total income|taxable income|gross income|net profit] [for|in] {year} was {m}.",
        "[The IRS|Exam|The revenue agent] [says|claims|told us] {n} [owes|still owes|has a balance due of] {m} [for|on] tax year {year}.",
        "{n}'s {year} refund of {m} [was|has been] [issued|held|offset|frozen|reduced].",
        "Box 2 [on|of] {n}'s [1042-S|W-2] shows [gross income|federal tax withheld] of {m}.",
        "{n}: total wages {m}, federal income tax withheld {m2}, tax year {year}.",
        "CWA budget for {n}: gross income {m}, [allowable|estimated] expenses {m2}, net income [subject to withholding|taxed at graduated rates].",
        "{n} has not filed [a return|Form 1040-NR] for {year} and [received|got] a notice of deficiency [for|over] {m}.",
        "[Your|The] audit of {n} for {year} proposes [additional tax of|an assessment of] {m}[ plus penalties|].",
        "We withheld {m} from {n}'s [fee|guarantee|prize money] in {year}, 30% of gross income of {m2}.",
        "{n} reported [self-employment income|royalties|endorsement income] of {m} and claimed deductions of {m2} on the {year} return.",
        "Account transcript {n}, tax period 12/{year}: balance due {m}, penalty {m2}.",
        "{n}'s [effectively connected income|ECI] for the {year} tour [came to|totals] {m}; tax liability {m2}.",
    ),
    "es": (
        "El ingreso bruto ajustado de {n} en {year} fue de {m}.",
        "El IRS dice que {n} debe {m} de impuestos del ejercicio {year}.",
        "A {n} le retuvieron {m} de sus ingresos de {m2} en {year}.",
    ),
    "de": (
        "Das zu versteuernde Einkommen von {n} betrug {year} {m}.",
        "{n} schuldet dem IRS für das Steuerjahr {year} noch {m} Einkommensteuer.",
        "Von der Gage von {n} wurden {year} {m} Quellensteuer einbehalten, Bruttoeinkommen {m2}.",
    ),
    "fr": (
        "Le revenu imposable de {n} pour {year} s'élève à {m}.",
        "{n} doit encore {m} d'impôt sur le revenu à l'IRS pour l'année fiscale {year}.",
    ),
    "pt": ("A renda bruta de {n} em {year} foi de {m}, com imposto retido de {m2}.",),
    "it": ("Il reddito imponibile di {n} per il {year} è stato di {m}, ritenuta alla fonte {m2}.",),
}
