"""What people call each number, by variant and language. A language that is missing uses the English words."""

from __future__ import annotations

from random import Random

LABELS: dict[str, dict[str, str]] = {
    "ssn": {
        "en": "SSN|Social Security number|social security #|Social Security No.|SS#|soc sec number|social|US social security "
        "number|S.S.N.|taxpayer identification number|TIN|SSN/TIN|tax ID|US TIN|social security num",
        "es": "número de seguro social|número de Seguridad Social (EE. UU.)|SSN|seguro social|NSS americano|número de la "
        "seguridad social de Estados Unidos",
        "de": "US-Sozialversicherungsnummer|SSN|Social Security Number|amerikanische Sozialversicherungsnummer|Steuernummer (USA)",
        "fr": "numéro de sécurité sociale américain|SSN|n° de sécurité sociale (États-Unis)|numéro SSN",
        "it": "numero di previdenza sociale USA|SSN|codice SSN|numero di sicurezza sociale americano",
        "pt": "número de segurança social dos EUA|SSN|número do Seguro Social americano",
        "nl": "Amerikaans sofinummer|SSN|social security nummer|Amerikaans burgerservicenummer (SSN)",
        "ja": "社会保障番号|SSN|米国社会保障番号|ソーシャルセキュリティ番号",
        "zh": "社会安全号|社会安全号码|美国社安号|SSN",
        "ru": "номер социального страхования|SSN|номер соцстрахования США",
        "pl": "amerykański numer ubezpieczenia społecznego|SSN|numer SSN",
        "ko": "사회보장번호|SSN|미국 사회보장번호",
        "sv": "amerikanskt personnummer (SSN)|SSN",
        "da": "amerikansk CPR-nummer (SSN)|SSN|socialsikringsnummer",
        "no": "amerikansk personnummer (SSN)|SSN|trygdenummer",
        "fi": "Yhdysvaltain sosiaaliturvatunnus|SSN|sosiaaliturvatunnus",
        "cs": "americké číslo sociálního zabezpečení|SSN|číslo sociálního pojištění",
        "hu": "amerikai társadalombiztosítási szám|SSN",
        "ro": "număr de securitate socială|SSN",
        "uk": "номер соціального страхування|SSN",
        "tr": "sosyal güvenlik numarası|SSN",
        "el": "αριθμός κοινωνικής ασφάλισης|SSN",
        "ar": "رقم الضمان الاجتماعي|SSN",
        "he": "מספר ביטוח לאומי אמריקאי|SSN",
        "hi": "सामाजिक सुरक्षा संख्या|SSN",
        "vi": "số an sinh xã hội|SSN",
        "id": "nomor jaminan sosial|SSN",
    },
    "itin": {
        "en": "ITIN|individual taxpayer identification number|I.T.I.N.|taxpayer ID|US tax number|tax identification number|"
        "ITIN no.|IRS individual number|US TIN",
        "es": "ITIN|número de identificación personal del contribuyente|número de contribuyente del IRS|número ITIN",
        "de": "ITIN|US-Steuernummer|amerikanische Steuernummer|ITIN-Nummer|Steueridentifikationsnummer der IRS",
        "fr": "ITIN|numéro ITIN|numéro fiscal américain|numéro d'identification fiscale américain",
        "it": "ITIN|codice fiscale americano|numero ITIN|codice contribuente USA",
        "pt": "ITIN|número de contribuinte americano|número de identificação fiscal dos EUA",
        "nl": "ITIN|Amerikaans fiscaal nummer|ITIN-nummer",
        "ja": "ITIN|個人納税者番号|納税者番号",
        "zh": "ITIN|个人纳税识别号|美国税号",
        "ru": "ITIN|налоговый номер США|ИНН США (ITIN)",
        "pl": "ITIN|amerykański numer podatkowy|numer ITIN",
        "ko": "ITIN|개인 납세자 번호|납세자 번호",
        "sv": "ITIN|amerikanskt skattenummer",
        "da": "ITIN|amerikansk skattenummer",
        "no": "ITIN|amerikansk skattenummer",
        "fi": "ITIN|Yhdysvaltain verotunniste",
        "cs": "ITIN|americké daňové číslo|DIČ v USA",
        "hu": "ITIN|amerikai adószám",
        "ro": "ITIN|cod fiscal american",
        "uk": "ITIN|податковий номер США",
        "tr": "ITIN|vergi kimlik numarası|ABD vergi numarası",
        "el": "ITIN|αμερικανικός ΑΦΜ",
        "ar": "ITIN|رقم التعريف الضريبي",
        "he": "ITIN|מספר משלם מסים",
        "hi": "ITIN|करदाता पहचान संख्या",
        "vi": "ITIN|mã số thuế",
        "id": "ITIN|nomor pajak AS",
    },
    "atin": {"en": "ATIN|adoption taxpayer identification number|adoption TIN|taxpayer ID for the adopted child"},
    "ein": {
        "en": "EIN|employer identification number|FEIN|federal tax ID|federal ID number|Employer ID No.|F.E.I.N.|tax ID of "
        "the company|business TIN|federal employer ID",
        "es": "EIN|número de identificación patronal|número de identificación del empleador|ID fiscal federal",
        "de": "EIN|Arbeitgeber-Identifikationsnummer (EIN)|US-Steuernummer der Firma",
        "fr": "EIN|numéro d'identification d'employeur|numéro EIN de la société",
        "it": "EIN|codice identificativo del datore di lavoro|numero EIN",
        "pt": "EIN|número de identificação do empregador",
    },
    "qi-ein": {"en": "QI-EIN|QI EIN|qualified intermediary EIN|WP-EIN|WT-EIN|withholding foreign partnership EIN|QI number"},
    "ptin": {"en": "PTIN|preparer tax identification number|preparer's PTIN|Preparer TIN|PTIN no."},
    "caf": {"en": "CAF number|CAF No.|CAF #|Centralized Authorization File number|representative's CAF|CAF"},
    "giin": {"en": "GIIN|Global Intermediary Identification Number|FATCA GIIN|GIIN no.|FATCA registration number"},
    "efin": {"en": "EFIN|electronic filing identification number|our EFIN|e-file EFIN"},
    "etin": {"en": "ETIN|electronic transmitter identification number|transmitter ETIN"},
    "ip-pin": {
        "en": "IP PIN|Identity Protection PIN|IRS identity protection number|IP-PIN for this year|identity protection PIN (IRS)",
        "es": "PIN de protección de identidad|IP PIN",
    },
    "card": {
        "en": "credit card|card number|Visa card|Amex|company card|MasterCard no.|CC#|card no.",
        "es": "tarjeta de crédito|número de tarjeta|tarjeta", "de": "Kreditkarte|Kreditkartennummer|Kartennummer",
        "fr": "carte bancaire|numéro de carte|carte de crédit", "it": "carta di credito|numero della carta",
        "pt": "cartão de crédito|número do cartão",
    },
    "bank": {"en": "account number|account no.|acct #|bank account|checking account|a/c no.|savings account number"},
    "iban": {
        "en": "IBAN|account (IBAN)|bank account|please wire to", "de": "IBAN|Konto|Bankverbindung", "fr": "IBAN|compte|RIB/IBAN",
        "es": "IBAN|cuenta|número de cuenta", "it": "IBAN|conto corrente|coordinate bancarie", "pt": "IBAN|conta",
        "nl": "IBAN|rekeningnummer", "pl": "IBAN|nr konta",
    },
    "nino": {"en": "National Insurance number|NINO|NI number|NI no.|UK National Insurance"},
    "utr": {"en": "UTR|Unique Taxpayer Reference|HMRC UTR|self assessment UTR|tax reference (UTR)"},
    "sin": {"en": "SIN|Social Insurance Number|Canadian SIN|SIN #", "fr": "NAS|numéro d'assurance sociale"},
    "idnr": {
        "de": "Steuer-ID|steuerliche Identifikationsnummer|IdNr.|Steueridentifikationsnummer|Steuer-IdNr.|Steuerliche ID",
        "en": "German tax ID|Steuer-ID|foreign TIN (Germany)|German IdNr",
    },
    "spi": {
        "fr": "numéro fiscal|numéro fiscal de référence|n° fiscal|numéro SPI|identifiant fiscal",
        "en": "French tax number|numéro fiscal|foreign TIN (France)",
    },
    "dni": {"es": "DNI|NIF|D.N.I.|documento nacional de identidad|DNI/NIF", "en": "Spanish DNI|NIF (Spain)|foreign TIN (Spain)"},
    "nie": {"es": "NIE|N.I.E.|número de identidad de extranjero", "en": "Spanish NIE|NIE|foreigner ID (Spain)"},
    "cf": {"it": "codice fiscale|C.F.|cod. fisc.|CF", "en": "Italian tax code|codice fiscale|foreign TIN (Italy)"},
    "bsn": {"nl": "BSN|burgerservicenummer|sofinummer", "en": "Dutch BSN|BSN|citizen service number|foreign TIN (Netherlands)"},
    "tfn": {"en": "TFN|Tax File Number|Australian TFN|tax file no."},
    "mynumber": {"ja": "マイナンバー|個人番号", "en": "My Number|Japanese individual number|foreign TIN (Japan)"},
    "cpf": {"pt": "CPF|CPF/MF|CPF nº", "en": "Brazilian CPF|CPF|foreign TIN (Brazil)"},
    "personnummer": {"sv": "personnummer|pers.nr|person-nr", "en": "Swedish personnummer|personal identity number (Sweden)"},
    "ppsn": {"en": "PPS number|PPSN|PPS No.|Personal Public Service Number|Irish PPS"},
    "rfc": {"es": "RFC|R.F.C.|Registro Federal de Contribuyentes|clave RFC", "en": "Mexican RFC|RFC|foreign TIN (Mexico)"},
    "pan": {"en": "PAN|Permanent Account Number|Indian PAN|PAN no.|income tax PAN"},
    "passport": {
        "en": "passport number|passport no.|passport #|passport|travel document no.|Passport No", "de": "Reisepassnummer|Pass-Nr.|Passnummer",
        "fr": "numéro de passeport|passeport n°|passeport", "es": "número de pasaporte|pasaporte|pasaporte n.º", "it": "passaporto n.|numero di passaporto",
        "pt": "passaporte|número do passaporte", "nl": "paspoortnummer|paspoort nr.", "ja": "旅券番号|パスポート番号", "zh": "护照号码|护照号",
        "ru": "номер паспорта|загранпаспорт №", "pl": "numer paszportu|paszport nr", "ko": "여권번호|여권 번호", "sv": "passnummer",
        "da": "pasnummer",
        "no": "passnummer",
        "fi": "passin numero",
        "cs": "číslo pasu",
        "hu": "útlevélszám",
        "ro": "număr pașaport",
        "uk": "номер паспорта",
        "tr": "pasaport numarası|pasaport no",
        "el": "αριθμός διαβατηρίου",
        "ar": "رقم جواز السفر",
        "he": "מספר דרכון",
        "hi": "पासपोर्ट संख्या",
        "vi": "số hộ chiếu",
        "id": "nomor paspor",
    },
    "mrz": {"en": "passport scan reads|machine readable zone|MRZ|bottom of her passport", "de": "maschinenlesbare Zone", "fr": "bande MRZ"},
    "visa": {
        "en": "visa number|visa foil number|US visa no.|O-1 visa foil|P-1 visa number|visa no. (red number)",
        "es": "número de visa|número de visado", "de": "Visumnummer|Nummer des Visums", "fr": "numéro de visa", "pt": "número do visto",
    },
    "birth-date": {
        "en": "date of birth|DOB|born|D.O.B.|birth date|birthdate|born on", "de": "Geburtsdatum|geboren am|geb.", "fr": "date de naissance|né(e) le|naissance",
        "es": "fecha de nacimiento|nacido el|F. nac.", "it": "data di nascita|nato il|nata il", "pt": "data de nascimento|nascido em",
        "nl": "geboortedatum|geboren op", "ja": "生年月日", "zh": "出生日期", "ru": "дата рождения", "pl": "data urodzenia", "ko": "생년월일",
    },
}  # fmt: skip

LANGUAGES = ("en", "es", "de", "fr", "pt", "it", "nl", "ja", "zh", "ru", "pl", "ko")


def label(rng: Random, variant: str, language: str) -> str:
    """A name of this number in this language, now and then the English one instead, as people mix them."""
    known = LABELS[variant]
    words = known.get(language) or known.get("en") or next(iter(known.values()))
    if "en" in known and language != "en" and rng.random() < 0.2:
        words = known["en"]
    chosen = rng.choice(words.split("|"))
    if rng.random() < 0.12 and chosen.isascii():
        chosen = rng.choice([chosen.lower(), chosen.upper(), chosen.title()])
    return chosen


def languages_of(variant: str) -> list[str]:
    return list(LABELS[variant])
