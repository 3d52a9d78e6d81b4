"""Words that carry grammar and no evaluation, and so are no reason for a score.

Negations, modal verbs and words of contrast are left out on purpose: they turn an evaluation.
"""

_ENGLISH = """
a an the this that these those of in on at to for from by with into onto over under about as
and or also if than then so there here it its he his him she her hers they their them we our us you
your i my me who whom whose which what when where while is are was were be been being am has
have had having do does did will would shall 's
"""
_DUTCH = """
de het een dit dat deze die van in op aan te tot voor door met naar over onder om bij uit uw
en of ook als dan er daar hier hij zijn hem zij ze haar hun hen wij we ons onze jij je u ik mijn
wie wat welke wanneer waar terwijl is ben bent was waren wordt worden werd werden geworden
heeft heb hebben had hadden zal zullen zou zouden
"""
_TURKISH = """
ve veya ya da de ile için bir bu şu o onun onlar onların biz bizim siz sizin ben benim ki
olarak olan oldu olduğu dir dır gibi kadar sonra önce üzere göre ise
"""
_RUSSIAN = """
и а или в во на к ко с со у о об от до по из за для при над под между что чтобы как это этот
эта эти тот та те который которая которые которого он его ему она её ей они их им мы нас наш
вы вас ваш я меня мой был была было были есть быть будет будут же ли
"""
_UKRAINIAN = """
і й та або в у на до з із зі від по за для при над під між що щоб як це цей ця ці той які який
яка якого він його йому вона її їй вони їх їм ми нас наш ви вас ваш я мене мій був була було
були є бути буде будуть же чи
"""
FUNCTION_WORDS = frozenset(
    word for words in (_ENGLISH, _DUTCH, _TURKISH, _RUSSIAN, _UKRAINIAN) for word in words.split()
)


def is_function_word(surface: str) -> bool:
    """Whether a word only carries grammar, in any of the languages read.

    >>> is_function_word("The"), is_function_word("не"), is_function_word("blamed")
    (True, False, False)
    """
    return surface.strip("\"'“”‘’«».,;:!?()").casefold() in FUNCTION_WORDS
