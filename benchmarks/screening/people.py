"""Who writes, about whom, from where: names of many countries, firms, acts, venues, addresses and days."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass
from random import Random

from benchmarks.screening.grammar import expand

# country: given names; family names; mail domain; telephone shape (# a digit, + kept)
_NATIONS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "US": ("James Mary Robert Linda Michael Denise Kevin Tanya Marcus Brianna Walter Joyce Derek Paula Todd Shanice",
           "Johnson Whitaker Delgado Brooks Harmon Pierce Okafor Lindqvist Mercer Castellano Boyd Tran Hollis Vance Ruiz",
           "com", ("(###) ###-####", "###-###-####", "###.###.####", "+1 ### ### ####", "1-###-###-####")),
    "GB": ("Oliver Imogen Callum Freya Alistair Bronwen Nigel Harriet Rhys Poppy Gareth Siobhan Dominic Tamsin",
           "Ashworth Pemberton MacLeod Hargreaves Llewellyn Fairbairn Cartwright Ogilvie Thackeray Bains Rowntree",
           "co.uk", ("+44 20 #### ####", "07### ######", "+44 (0)1### ######", "020 7### ####")),
    "DE": ("Jürgen Anneliese Matthias Katharina Uwe Friederike Lennart Sabine Torsten Mareike Björn Ulrike Götz",
           "Müller Schäfer Brandstetter Krüger Vogt Hohenfels Röttgen Zimmermann Böhm Wagenknecht Langhans",
           "de", ("+49 30 #######", "0171 #######", "+49 (0)40 ######-##", "089/######", "0221-######")),
    "FR": ("Jean-Luc Amélie Thibault Océane François Maëlle Guillaume Solène Étienne Hélène Baptiste Inès",
           "Lefèvre Dubois Garnier Rousseau Delacroix Moreau Charpentier Bélanger Guérin Marchand Saint-Clair",
           "fr", ("01 ## ## ## ##", "+33 6 ## ## ## ##", "06.##.##.##.##", "+33 (0)1 ## ## ## ##")),
    "ES": ("Álvaro Lucía Joaquín Begoña Íñigo Montserrat Rafael Carmen Pilar Sergio Nuria Andrés Rocío",
           "García Núñez Fernández Ibáñez Ortega Zubiri Peñalver Castaño Romero Giménez Villanueva",
           "es", ("+34 6## ### ###", "91 ### ## ##", "6## ## ## ##", "6## ### ###")),
    "IT": ("Giulia Lorenzo Chiara Matteo Alessandra Federico Ginevra Tommaso Ornella Dario Beatrice Nicolò",
           "Esposito Bianchi Ferrari Colombo De Luca Marchetti Santoro Galli Mancini Pellegrini Rinaldi",
           "it", ("+39 06 ########", "02 ########", "+39 3## #######", "347 ### ####")),
    "PT": ("João Mafalda Tiago Beatriz Gonçalo Inês Rui Madalena Duarte Catarina",
           "Almeida Carvalho Pereira Magalhães Figueiredo Antunes Sequeira Vasconcelos",
           "pt", ("+351 9## ### ###", "21# ### ###", "9## ### ###")),
    "BR": ("Thiago Juliana Anitta Caetano Fernanda Marisa Gilberto Ivete Seu-Jorge Vinícius Larissa",
           "da Silva Oliveira dos Santos Cavalcanti Barbosa Nogueira Teixeira Monteiro",
           "com.br", ("+55 11 9####-####", "(21) 9####-####", "+55 (31) ####-####")),
    "NL": ("Sanne Daan Femke Joost Marieke Bram Anouk Wouter Fleur Pieter",
           "van der Berg de Vries Bakker Visser Hoekstra Jansen van Dijk Mulder",
           "nl", ("+31 20 ### ####", "06-########", "+31 6 ########")),
    "SE": ("Åsa Björn Linnéa Göran Maja Torbjörn Ebba Håkan Signe Love",
           "Lindström Åkesson Bergqvist Sjöberg Nyström Håkansson Ekdahl", "se", ("+46 8 ### ### ##", "070-### ## ##")),
    "IE": ("Aoife Cillian Niamh Eoin Saoirse Pádraig Gráinne Fionn", "O'Sullivan Byrne Ní Dhomhnaill Gallagher Keane Doyle",
           "ie", ("+353 1 ### ####", "087 ### ####")),
    "CA": ("Maxime Noémie Tyler Siobhan Jasdeep Émilie Connor Mackenzie", "Tremblay MacDonald Gagnon Singh Bouchard Leblanc",
           "ca", ("+1 (416) ###-####", "514-###-####", "604.###.####")),
    "AU": ("Lachlan Kirra Bruce Matilda Jarrah Indiana Angus Sheila", "Abbott Gillard Nguyen Whitlam Papadopoulos Hawke",
           "com.au", ("+61 2 #### ####", "04## ### ###", "(03) #### ####")),
    "JP": ("Haruka Kenji Aiko Takeshi Yuki Sakura Ryo Naomi", "Tanaka Watanabe Kobayashi Nakamura Yamamoto Fujiwara",
           "co.jp", ("+81 3-####-####", "090-####-####", "03-####-####")),
    "KR": ("Ji-woo Min-jun Seo-yeon Ha-eun Tae-hyung Soo-jin", "Kim Park Choi Jung Kang Hwang", "co.kr",
           ("+82 2-####-####", "010-####-####")),
    "CN": ("Wei Xiaoling Jian Meilin Haoran Yuxi", "Zhang Wang Chen Liu Zhao Huang", "cn",
           ("+86 10 #### ####", "138 #### ####")),
    "IN": ("Aarav Priya Rohan Lakshmi Vikram Ananya Arjun Kavita", "Sharma Iyer Mukherjee Patel Reddy Krishnan Banerjee",
           "in", ("+91 98### #####", "+91 22 #### ####")),
    "MX": ("Guadalupe Emiliano Ximena Alejandro Fernanda Cuauhtémoc Regina", "Hernández Guzmán Villaseñor Cárdenas Ochoa",
           "com.mx", ("+52 55 #### ####", "(33) #### ####")),
    "CO": ("Camilo Shirley Juanes Valentina Esteban Manuela", "Restrepo Mebarak Uribe Londoño Arango", "com.co",
           ("+57 3## ### ####", "+57 1 ### ####")),
    "NG": ("Chinedu Adaeze Oluwaseun Folake Emeka Yemi", "Adeyemi Okonkwo Balogun Eze Afolabi", "ng", ("+234 80# ### ####",)),
    "ZA": ("Thandiwe Sipho Lerato Pieter Nomvula Bongani", "Dlamini Nkosi van Wyk Mokoena Botha", "co.za",
           ("+27 11 ### ####", "082 ### ####")),
    "PL": ("Agnieszka Krzysztof Małgorzata Łukasz Zofia Paweł", "Wiśniewska Kowalczyk Zieliński Wójcik Dąbrowska", "pl",
           ("+48 22 ### ## ##", "601 ### ###", "+48 ### ### ###")),
    "UA": ("Oksana Dmytro Svitlana Andriy Olha Taras", "Shevchenko Kovalenko Bondarenko Tkachuk", "com.ua",
           ("+380 44 ### ## ##", "067 ### ## ##")),
    "GR": ("Eleni Konstantinos Despina Giorgos Athina", "Papadimitriou Karagiannis Vlachos", "gr",
           ("+30 21 #### ####", "69# ### ####")),
    "CH": ("Urs Béatrice Reto Andrea Beat Ladina", "Aebischer Zürcher Bernasconi Favre Caflisch", "ch",
           ("+41 44 ### ## ##", "079 ### ## ##")),
    "AT": ("Leopold Sieglinde Franziska Xaver Resi", "Gruber Pichler Moser Hofstätter", "at", ("+43 1 #######", "0664 #######")),
    "TR": ("Ayşe Mehmet Zeynep Emre Elif", "Yılmaz Demir Çelik Öztürk", "com.tr", ("+90 212 ### ## ##", "0532 ### ## ##")),
}  # fmt: skip
# Family names of several words.
_PARTICLES = frozenset({"De", "da", "dos", "van", "der", "de", "Ní"})

_FIRM = "{first} {second}{third}"
_FIRST = (
    "Northgate Bluebird Meridian Castellan Riverstone Halcyon Ironwood Saltbox Lantern Copperfield Juniper Marquee Redwood "
    "Harbourline Quarterdeck Velvet Paragon Silverlake Tidewater Overture Encore Crescendo Foxglove Granite Helix Westwind"
).split()
_SECOND = (
    "Touring,Live,Artists,Entertainment,Talent,Sports Management,Productions,Booking,Withholding Services,Tax Advisors,"
    "Accounting,Business Management,Festivals,Theatricals,Concerts,Payroll,Athletics,Chamber Players,Opera,Promotions"
).split(",")
_THIRD = [
    " LLC",
    " Inc.",
    " Ltd",
    " GmbH",
    " S.A.",
    " & Co.",
    " LLP",
    " B.V.",
    " AB",
    " S.r.l.",
    "",
    "",
    " Group",
    " Pty Ltd",
]

_ACT = "[{adjective} {noun}|The {adjective} {noun}|{adjective} {noun} {group}|DJ {noun}|MC {noun}|Cirque {noun}|Teatro {noun}]"
_ADJECTIVES = (
    "Midnight Paper Electric Northern Silver Hollow Golden Wandering Crimson Quiet Broken Neon Velvet Salty Distant Arctic "
    "Copper Lucky Ragged Second Foreign Indigo Static Summer"
).split()
_NOUNS = (
    "Foxes Lanterns Rivers Satellites Harbours Wolves Tigers Pilots Gardens Sparrows Engines Pines Comets Mirrors Anchors "
    "Falcons Saints Circuits Meridians Cathedrals Brigade Parade Kites Ravens"
).split()
CITIES = (
    "Austin|Nashville|Brooklyn|Los Angeles|Chicago|Miami|Seattle|Denver|Las Vegas|Boston|Philadelphia|Atlanta|Portland|"
    "New Orleans|San Diego|Minneapolis|Detroit|Houston|Phoenix|Cleveland|Orlando|Charlotte|Salt Lake City|Honolulu"
).split("|")
ABROAD = (
    "London|Berlin|Paris|Madrid|Milano|Lisboa|Amsterdam|Stockholm|Dublin|Toronto|Sydney|Tokyo|Seoul|Mumbai|São Paulo|"
    "Ciudad de México|Bogotá|Lagos|Cape Town|Warszawa|Zürich|Wien|İstanbul|Kyiv|Athens|Montréal|Buenos Aires|Manchester"
).split("|")
_VENUE = "[{noun} {house}|The {adjective} Room|{city} {hall}]"
_HOUSES = "Hall|Arena|Theatre|Ballroom|Amphitheater|Club|Pavilion|Stadium".split("|")
_HALLS = "Civic Center|Convention Center|Opera House".split("|")
_STREETS = (
    "Maple|Harbor|5th|Sunset|King|Mercer|Bleecker|Ocean|Congress|Washington|Elm|Vine|Lexington|Peachtree|Mission".split(
        "|"
    )
)


@dataclass(frozen=True, slots=True)
class Person:
    given: str
    family: str
    country: str
    firm: str
    domain: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def address(self) -> str:
        return f"{_plain(self.given)[:1]}.{_plain(self.family)}@{self.domain}".lower()


def _plain(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name).replace("ı", "i").replace("ł", "l").replace("Ł", "L")
    return "".join(mark for mark in bare if "a" <= mark.lower() <= "z") or "office"


def _family(rng: Random, words: str) -> str:
    names: list[str] = []
    for word in words.split():
        if names and names[-1].split()[-1] in _PARTICLES:
            names[-1] += f" {word}"
        else:
            names.append(word)
    return rng.choice(names)


def person(rng: Random, country: str = "") -> Person:
    country = country or rng.choice([*_NATIONS, "US", "US", "US", "US", "GB", "DE", "FR", "ES", "IT"])
    given, family, ending, _ = _NATIONS[country]
    house = firm(rng)
    word = "".join(mark for mark in house.lower().split(" ltd")[0] if "a" <= mark <= "z")[:18]
    return Person(rng.choice(given.split()), _family(rng, family), country, house, f"{word}.{ending}")


def firm(rng: Random) -> str:
    return expand(rng, _FIRM, {"first": _FIRST, "second": _SECOND, "third": _THIRD})


_GROUPS = "Quartet|Orchestra|Ensemble|Trio|Dance Company|Big Band".split("|")
_SLOTS = {"adjective": _ADJECTIVES, "noun": _NOUNS, "city": CITIES, "group": _GROUPS}


def act(rng: Random) -> str:
    return expand(rng, _ACT, _SLOTS)


def venue(rng: Random) -> str:
    return expand(rng, _VENUE, {**_SLOTS, "house": _HOUSES, "hall": _HALLS})


def city(rng: Random) -> str:
    return rng.choice(CITIES + ABROAD)


def street(rng: Random) -> str:
    return f"{rng.randint(2, 9800)} {rng.choice(_STREETS)} {rng.choice('St Ave Blvd Road Lane Drive'.split())}"


def telephone(rng: Random, country: str = "") -> str:
    shape = rng.choice(_NATIONS[country or rng.choice(list(_NATIONS))][3])
    return "".join(str(rng.randint(2, 9)) if mark == "#" else mark for mark in shape)


def day(rng: Random, first: int = 2023, last: int = 2026) -> dt.date:
    return dt.date(first, 1, 1) + dt.timedelta(days=rng.randrange(365 * (last - first + 1)))


def birthday(rng: Random) -> dt.date:
    return day(rng, 1951, 2004)


MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
_DAY_SHAPES = {
    "en": (
        "{month} {d}, {y}",
        "{d} {month} {y}",
        "{m:02}/{d:02}/{y}",
        "{mon} {d} {y}",
        "{y}-{m:02}-{d:02}",
        "{m}/{d}/{yy:02}",
    ),
    "de": ("{d}. {month} {y}", "{d:02}.{m:02}.{y}", "{d}.{m}.{y}"),
    "fr": ("{d} {month} {y}", "{d:02}/{m:02}/{y}"),
    "es": ("{d} de {month} de {y}", "{d:02}/{m:02}/{y}", "{d:02}-{m:02}-{y}"),
    "it": ("{d} {month} {y}", "{d:02}/{m:02}/{y}"),
    "pt": ("{d} de {month} de {y}", "{d:02}/{m:02}/{y}"),
    "nl": ("{d} {month} {y}", "{d:02}-{m:02}-{y}"),
}


def day_text(rng: Random, when: dt.date, language: str = "en") -> str:
    """A day as somebody writes it in this language; languages without months here get the ISO form."""
    if language not in _DAY_SHAPES:
        return rng.choice([when.isoformat(), f"{when.year}/{when.month:02}/{when.day:02}"])
    month = MONTHS[language].split()[when.month - 1]
    shape = rng.choice(_DAY_SHAPES[language])
    return shape.format(month=month, mon=month[:3], d=when.day, m=when.month, y=when.year, yy=when.year % 100)


def money(rng: Random, top: int = 250_000) -> str:
    amount = rng.randint(50, top) * rng.choice([1, 1, 5, 10])
    cents = rng.choice(["", "", ".00", f".{rng.randint(0, 99):02}"])
    return rng.choice(
        [f"${amount:,}{cents}", f"USD {amount:,}{cents}", f"US$ {amount:,}", f"€{amount:,}{cents}", f"${amount}{cents}"]
    )


def dollars(rng: Random, low: int = 1_000, top: int = 400_000) -> str:
    return rng.choice(["${:,}", "${:,}.00", "USD {:,}", "{:,} USD", "${:,}"]).format(rng.randint(low, top))
