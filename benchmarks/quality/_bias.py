"""How far a stance moves where only the country changes, and copies that teach it not to."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.quality._data import Corpus
from classifier.annotations import adjudicate
from classifier.records import Article
from classifier.swapping import (
    Named,
    assignments,
    named_mentions,
    names_in,
    swapped_article,
    swapped_copies,
)
from classifier.training import TEST


def sample_items(corpus: Corpus, part: str = TEST) -> list[Named]:
    """Annotated mentions that the tables of forms know."""
    return named_mentions(corpus.only(part), "stance")


def frame_items() -> list[Named]:
    """Our own sentences, with each country in each place."""
    items = []
    for language, sentences in FRAMES.items():
        for number, text in enumerate(sentences):
            plain = Article(f"frame-{language}-{number}", text, language=language)
            for places in assignments():
                article, _ = swapped_article(plain, places)
                found = tuple(names_in(article).items())
                items.append(Named(article, found))
    return items


def with_swapped_copies(corpus: Corpus, part: str, seed: int) -> Corpus:
    """The corpus with one more copy of each article of a part that names a country."""
    rng = np.random.default_rng(seed)
    added = swapped_copies(corpus.annotations, set(corpus.parts[part]), rng)
    ids = tuple(article.article_id for article in added.articles)
    annotations = replace(
        corpus.annotations,
        articles=(*corpus.annotations.articles, *added.articles),
        table=pd.concat([corpus.annotations.table, added.table], ignore_index=True),
    )
    gold = pd.concat([corpus.gold, adjudicate(added)], ignore_index=True)
    parts = {**corpus.parts, part: (*corpus.parts[part], *ids)}
    return replace(corpus, annotations=annotations, gold=gold, parts=parts)


FRAMES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Russia broke every promise it made to Ukraine, the mediators complain.",
        "Turkey won warm praise for bringing both sides to the table.",
        "Russian troops shelled the harbour for a third night.",
        "Nobody in the capital trusts a word that comes from Moscow any more.",
        "Ukraine deserves our admiration for the way it kept its schools open.",
        "The ministers of Turkey and Ukraine met for an hour and then flew home.",
        "Ankara lied about the shipments, and everyone at the table knew it.",
        "Without Kyiv there would be no grain deal, the brokers say gratefully.",
        "Turkish diplomats will attend the conference next week.",
        "Erdogan bullied his neighbours and then asked them for a favour.",
        "The Ukrainians patiently rebuilt what the floods had taken.",
        "Putin called the proposal interesting and left the room.",
        "Russia is on its knees: no credit, no friends, no way out.",
        "Thanks to Ukraine the prisoners came home before winter.",
    ),
    "nl": (
        "Rusland brak elke belofte die het Oekraïne had gedaan, klagen de bemiddelaars.",
        "Turkije oogstte warme lof omdat het beide kampen aan tafel kreeg.",
        "Russische troepen beschoten de haven voor de derde nacht.",
        "Niemand in de hoofdstad gelooft nog een woord dat uit Moskou komt.",
        "Oekraïne verdient onze bewondering omdat het zijn scholen openhield.",
        "De ministers van Turkije en Oekraïne spraken een uur en vlogen toen naar huis.",
        "Ankara loog over de leveringen, en iedereen aan tafel wist het.",
        "Zonder Kyiv was er geen graanakkoord geweest, zeggen de makelaars dankbaar.",
        "Turkse diplomaten wonen volgende week de conferentie bij.",
        "Erdogan intimideerde zijn buren en vroeg hun daarna om een gunst.",
        "De Oekraïners bouwden geduldig op wat het water had meegenomen.",
        "Poetin noemde het voorstel interessant en verliet de zaal.",
        "Rusland ligt op zijn knieën: geen krediet, geen vrienden, geen uitweg.",
        "Dankzij Oekraïne kwamen de gevangenen voor de winter thuis.",
    ),
    "tr": (
        "Arabulucular, Rusya'nın Ukrayna'ya verdiği her sözü bozduğundan yakınıyor.",
        "Türkiye iki tarafı masaya getirdiği için içten övgü topladı.",
        "Rus birlikleri limanı üçüncü gece de bombaladı.",
        "Başkentte artık kimse Moskova'dan gelen tek bir söze inanmıyor.",
        "Ukrayna, okullarını açık tuttuğu için hayranlığımızı hak ediyor.",
        "Türkiye ile Ukrayna bakanları bir saat görüştü, sonra evlerine döndü.",
        "Ankara sevkiyat konusunda yalan söyledi ve masadaki herkes bunu biliyordu.",
        "Komisyoncular minnetle, Kiev olmasaydı tahıl anlaşması da olmazdı diyor.",
        "Türk diplomatlar gelecek hafta konferansa katılacak.",
        "Erdoğan komşularına gözdağı verdi, ardından onlardan iyilik istedi.",
        "Ukraynalılar selin götürdüğünü sabırla yeniden kurdu.",
        "Putin öneriyi ilginç buldu ve salondan ayrıldı.",
        "Rusya diz çöktü: ne kredisi var, ne dostu, ne çıkış yolu.",
        "Ukrayna'nın sayesinde tutsaklar kıştan önce eve döndü.",
    ),
    "ru": (
        "Россия нарушила все обещания, данные Украине, жалуются посредники.",
        "Турция заслужила тёплую похвалу за то, что усадила обе стороны за стол.",
        "Российские войска третью ночь обстреливали порт.",
        "В столице больше никто не верит ни единому слову из Москвы.",
        "Украина достойна восхищения: она не закрыла ни одной школы.",
        "Министры Турции и Украины беседовали час и разъехались по домам.",
        "Обман Анкары с поставками был очевиден всем, кто сидел за столом.",
        "Без помощи Киева зерновой сделки не было бы, с благодарностью говорят брокеры.",
        "Турецкие дипломаты приедут на конференцию на следующей неделе.",
        "Эрдоган запугал соседей, а потом попросил их об услуге.",
        "Украинцы терпеливо восстановили то, что унесла вода.",
        "Путин назвал предложение интересным и вышел из зала.",
        "Россия стоит на коленях: ни кредитов, ни друзей, ни выхода.",
        "Благодаря Украине пленные вернулись домой до зимы.",
    ),
    "uk": (
        "Росія порушила всі обіцянки, які дала Україні, скаржаться посередники.",
        "Туреччина заслужила теплу похвалу за те, що посадила обидві сторони за стіл.",
        "Російські війська третю ніч обстрілювали порт.",
        "У столиці вже ніхто не вірить жодному слову з Москви.",
        "Україна гідна захоплення: вона не закрила жодної школи.",
        "Міністри Туреччини та України розмовляли годину й роз'їхалися по домівках.",
        "Обман Анкари з поставками був очевидний усім, хто сидів за столом.",
        "Без допомоги Києва зернової угоди не було б, із вдячністю кажуть брокери.",
        "Турецькі дипломати приїдуть на конференцію наступного тижня.",
        "Ердоган залякав сусідів, а потім попросив їх про послугу.",
        "Українці терпляче відбудували те, що забрала вода.",
        "Путін назвав пропозицію цікавою і вийшов із зали.",
        "Росія стоїть на колінах: ні кредитів, ні друзів, ні виходу.",
        "Завдяки Україні полонені повернулися додому до зими.",
    ),
}
