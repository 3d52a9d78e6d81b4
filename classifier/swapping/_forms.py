"""Names of the shipped codebook's countries in five languages, form beside form, to swap them.

Each row is one way to name a country: per target its forms, aligned by case. Where a form serves
several cases, the word before it decides (`CASE_WORDS`), and else the first case it serves.
In Turkish a suffix after an apostrophe belongs to the form: it has to keep vowel harmony. Verbs are
left as they are: "Москва заявила" becomes "Киев заявила", which is heard but not misread.
"""

from collections.abc import Mapping

Row = Mapping[str, str]
"""Target -> forms, separated by "|"; an empty form is not swapped into."""

_ADJ_RU = ["ий", "ого", "ому", "им", "ом", "ая", "ой", "ую", "ою", "ое", "ие", "их", "ими"]
_ADJ_UK = ["ий", "ого", "ому", "им", "ім", "а", "ої", "ій", "у", "ою", "е", "і", "их", "ими"]


def _stems(endings: list[str], stems: Row) -> Row:
    return {target: "|".join(stem + e for e in endings) for target, stem in stems.items()}


def _suffixes(names: Mapping[str, tuple[str, str]]) -> Row:
    """Turkish: a name alone and with the suffixes it takes after an apostrophe."""
    return {
        target: "|".join([name, *(f"{name}'{suffix}" for suffix in suffixes.split())])
        for target, (name, suffixes) in names.items()
    }


_BACK = "nın ya yı da dan yla daki"
_FRONT = "nin ye yi de den yle deki"
_BACK_CLOSED = "ın a ı da dan la daki"
_FRONT_CLOSED = "in e i de den le deki"

FORMS: Mapping[str, tuple[Row, ...]] = {
    "en": (
        {"TR": "Turkey|Turkey's", "RU": "Russia|Russia's", "UA": "Ukraine|Ukraine's"},
        {"TR": "Turkish", "RU": "Russian", "UA": "Ukrainian"},
        {"TR": "Turks", "RU": "Russians", "UA": "Ukrainians"},
        {"TR": "Ankara", "RU": "Moscow", "UA": "Kyiv"},
        {"TR": "Ankara", "RU": "the Kremlin", "UA": "Kyiv"},
        {
            "TR": "Recep Tayyip Erdogan",
            "RU": "Vladimir Putin",
            "UA": "Volodymyr Zelensky",
        },
        {"TR": "Erdogan", "RU": "Putin", "UA": "Zelensky"},
    ),
    "nl": (
        {"TR": "Turkije|Turkijes", "RU": "Rusland|Ruslands", "UA": "Oekraïne|Oekraïnes"},
        {"TR": "Turkse|Turks", "RU": "Russische|Russisch", "UA": "Oekraïense|Oekraïens"},
        {"TR": "Turken", "RU": "Russen", "UA": "Oekraïners"},
        {"TR": "Turk", "RU": "Rus", "UA": "Oekraïner"},
        {"TR": "Ankara|Ankara's", "RU": "Moskou|Moskous", "UA": "Kyiv|Kyivs"},
        {"TR": "Ankara", "RU": "het Kremlin", "UA": "Kyiv"},
        {
            "TR": "Recep Tayyip Erdogan",
            "RU": "Vladimir Poetin",
            "UA": "Volodymyr Zelensky",
        },
        {"TR": "Erdogan|Erdogans", "RU": "Poetin|Poetins", "UA": "Zelensky|Zelensky's"},
    ),
    "tr": (
        _suffixes({"TR": ("Türkiye", _FRONT), "RU": ("Rusya", _BACK), "UA": ("Ukrayna", _BACK)}),
        {
            "TR": "Türkler|Türklerin|Türklere|Türkleri|Türklerden|Türklerle",
            "RU": "Ruslar|Rusların|Ruslara|Rusları|Ruslardan|Ruslarla",
            "UA": "Ukraynalılar|Ukraynalıların|Ukraynalılara|Ukraynalıları|Ukraynalılardan|"
            "Ukraynalılarla",
        },
        {"TR": "Türk", "RU": "Rus", "UA": "Ukraynalı"},
        _suffixes(
            {"TR": ("Ankara", _BACK), "RU": ("Moskova", _BACK), "UA": ("Kiev", _FRONT_CLOSED)}
        ),
        _suffixes(
            {
                "TR": ("Ankara", _BACK),
                "RU": ("Kremlin", _FRONT_CLOSED),
                "UA": ("Kiev", _FRONT_CLOSED),
            }
        ),
        _suffixes(
            {
                "TR": ("Erdoğan", _BACK_CLOSED),
                "RU": ("Putin", _FRONT_CLOSED),
                "UA": ("Zelenskiy", _FRONT),
            }
        ),
    ),
    "ru": (
        {
            "TR": "Турция|Турции|Турции|Турцию|Турцией|Турции",
            "RU": "Россия|России|России|Россию|Россией|России",
            "UA": "Украина|Украины|Украине|Украину|Украиной|Украине",
        },
        {
            "TR": "турки|турок|туркам|турок|турками|турках",
            "RU": "россияне|россиян|россиянам|россиян|россиянами|россиянах",
            "UA": "украинцы|украинцев|украинцам|украинцев|украинцами|украинцах",
        },
        {
            "TR": "турки|турок|туркам|турок|турками|турках",
            "RU": "русские|русских|русским|русских|русскими|русских",
            "UA": "украинцы|украинцев|украинцам|украинцев|украинцами|украинцах",
        },
        _stems(_ADJ_RU, {"TR": "турецк", "RU": "российск", "UA": "украинск"}),
        {
            "TR": "Анкара|Анкары|Анкаре|Анкару|Анкарой|Анкаре",
            "RU": "Москва|Москвы|Москве|Москву|Москвой|Москве",
            "UA": "Киев|Киева|Киеву|Киев|Киевом|Киеве",
        },
        {
            "TR": "Анкара|Анкары|Анкаре|Анкару|Анкарой|Анкаре",
            "RU": "Кремль|Кремля|Кремлю|Кремль|Кремлём|Кремле",
            "UA": "Киев|Киева|Киеву|Киев|Киевом|Киеве",
        },
        {
            "TR": "Эрдоган|Эрдогана|Эрдогану|Эрдогана|Эрдоганом|Эрдогане",
            "RU": "Путин|Путина|Путину|Путина|Путиным|Путине",
            "UA": "Зеленский|Зеленского|Зеленскому|Зеленского|Зеленским|Зеленском",
        },
    ),
    "uk": (
        {
            "TR": "Туреччина|Туреччини|Туреччині|Туреччину|Туреччиною|Туреччині",
            "RU": "Росія|Росії|Росії|Росію|Росією|Росії",
            "UA": "Україна|України|Україні|Україну|Україною|Україні",
        },
        {
            "TR": "турки|турків|туркам|турків|турками|турках",
            "RU": "росіяни|росіян|росіянам|росіян|росіянами|росіянах",
            "UA": "українці|українців|українцям|українців|українцями|українцях",
        },
        _stems(_ADJ_UK, {"TR": "турецьк", "RU": "російськ", "UA": "українськ"}),
        {
            "TR": "Анкара|Анкари|Анкарі|Анкару|Анкарою|Анкарі",
            "RU": "Москва|Москви|Москві|Москву|Москвою|Москві",
            "UA": "Київ|Києва|Києву|Київ|Києвом|Києві",
        },
        {
            "TR": "Анкара|Анкари|Анкарі|Анкару|Анкарою|Анкарі",
            "RU": "Кремль|Кремля|Кремлю|Кремль|Кремлем|Кремлі",
            "UA": "Київ|Києва|Києву|Київ|Києвом|Києві",
        },
        {
            "TR": "Ердоган|Ердогана|Ердогану|Ердогана|Ердоганом|Ердогані",
            "RU": "Путін|Путіна|Путіну|Путіна|Путіним|Путіні",
            "UA": "Зеленський|Зеленського|Зеленському|Зеленського|Зеленським|Зеленському",
        },
    ),
}
ALIASES: Mapping[str, Mapping[str, str]] = {
    "en": {"Kiev": "Kyiv", "Erdoğan": "Erdogan", "The Kremlin": "the Kremlin"},
    "nl": {"Kiev": "Kyiv", "Kievs": "Kyivs", "Erdoğan": "Erdogan", "Het Kremlin": "het Kremlin"},
    "tr": {"Kyiv": "Kiev", "Zelenski": "Zelenskiy"},
    "ru": {"Кремлем": "Кремлём", "Турциею": "Турцией"},
    "uk": {"Ердоганові": "Ердогану"},
}
"""Other spellings, read as these and never written."""
CASE_WORDS: Mapping[str, Mapping[int, frozenset[str]]] = {
    "ru": {
        2: frozenset(["к", "ко", "по", "вопреки", "благодаря", "согласно"]),
        3: frozenset(["за", "про", "через"]),
        5: frozenset(["в", "во", "на", "о", "об", "при"]),
    },
    "uk": {
        2: frozenset(["всупереч", "завдяки", "назустріч"]),
        3: frozenset(["за", "про", "через"]),
        5: frozenset(["в", "у", "на", "о", "об", "при", "по"]),
    },
}
"""Place of a case in a row -> the words before a form that ask for it."""
