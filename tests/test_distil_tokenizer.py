"""The tokenizer of a base: its letters, its vocabulary, and exact offsets."""

import unicodedata
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from classifier.distil.tokenizer import SPECIAL, balanced, most_used, train_tokenizer
from classifier.models.bases import SHIPPED

LINES = (
    "İstanbul'da ışık söndü, ağaçlar kıpırdadı.",
    "De zeeën en de ruïne, coördinatie in het vóórjaar.",
    "Подъезд, ёлка, который и мой.",
    "Їжак і ґанок, п'ять об'єктів.",
    "The naïve sailor's boat.",
)
WHO, DOES, WHAT = ("king", "baker", "sailor"), ("sees", "helps"), ("bridge", "garden", "river")


@pytest.fixture(scope="module")
def small() -> Tokenizer:
    return train_tokenizer(LINES * 3, 1000, cased=False)


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    return [
        token.removeprefix("##")
        for token in tokenizer.encode(text, add_special_tokens=False).tokens
    ]


def test_the_vocabulary_starts_with_the_special_tokens(small: Tokenizer) -> None:
    assert [small.id_to_token(n) for n in range(5)] == list(SPECIAL)
    assert small.encode("ok").ids[0] == SPECIAL.index("[CLS]")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ağaçlar", "ağaçlar"),
        ("Ruïne", "ruïne"),
        ("Мой Їжак", "мойїжак"),
        ("Ёлка", "ёлка"),
        ("İstanbul IŞIK ılık", "istanbulişikılık"),
        ("\u0438\u0306 i\u0308", "йï"),
        ("об\u00adъезд", "объезд"),
        ("«п’ять» “п'ять”", '"п\'ять""п\'ять"'),
    ],
)
def test_letters_keep_their_accents(small: Tokenizer, text: str, read: str) -> None:
    assert "".join(pieces(small, text)) == read


def test_given_pieces_split_text_as_the_tokenizer_they_come_from() -> None:
    english = [f"the {who} {does} the {what}." for who, does, what in product(WHO, DOES, WHAT)]
    source = train_tokenizer(english * 20, 1000, cased=False)
    given = most_used(source, english, 60)
    # Sixty suffice for the few words there are; unused pieces and special ones are not given.
    assert len(given) < 60
    assert not set(given) & set(SPECIAL)
    tokenizer = train_tokenizer(LINES[:4] * 3, 700, cased=False, given=given)
    assert tokenizer.get_vocab_size() <= 700
    assert tokenizer.encode(english[5]).tokens == source.encode(english[5]).tokens


def test_cased_keeps_capitals() -> None:
    tokenizer = train_tokenizer(LINES * 3, 1000, cased=True)
    assert "".join(pieces(tokenizer, "İstanbul IŞIK")) == "İstanbulIŞIK"


ODD = st.text(
    st.sampled_from(
        "aZ iİıIğŞçéïйЙіїҐёё'’«»“”.,-0€\u0301\u0306\u0308\u00ad\u200b\ufe0f\t\n😀👍🏽ﬁ中"
    ),
    max_size=30,
)


def assert_offsets_exact(tokenizer: Tokenizer, text: str) -> None:
    """Tokens stand in order and read what stands there; no visible letter is left out."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    covered: set[int] = set()
    last = 0
    for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
        assert last <= start < end
        last = whole = end
        while whole < len(text) and (unicodedata.combining(text[whole]) or hidden(text[whole])):
            whole += 1  # a mark that was composed with the letter before it belongs to the letter
        covered |= set(range(start, end))
        if token != SPECIAL[1]:
            read = {tokenizer.normalizer.normalize_str(text[start:n]) for n in (end, whole)}
            assert token.removeprefix("##") in read
    visible = {n for n, c in enumerate(text) if not (c.isspace() or hidden(c))}
    first = {n for n in visible if unicodedata.combining(text[n])}
    assert visible - first <= covered


def hidden(character: str) -> bool:
    return character in "\u00ad\u200b\ufe0f"


@given(ODD)
@settings(max_examples=300)
def test_offsets_are_exact(text: str) -> None:
    assert_offsets_exact(SMALL, text)


SMALL = train_tokenizer(LINES * 3, 1000, cased=False)


def test_small_languages_are_read_more_than_once_for_the_vocabulary() -> None:
    texts = list(balanced({"ru": ["abcdefghij"], "uk": ["abcde"], "nl": ["a"]}))
    assert [texts.count(some) for some in ("abcdefghij", "abcde", "a")] == [1, 2, 4]


@pytest.mark.skipif(
    not (SHIPPED / "config.json").exists(), reason="no base in classifier/weights/base"
)
def test_the_shipped_tokenizer_has_exact_offsets() -> None:
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED).backend_tokenizer

    @given(ODD)
    @settings(max_examples=200)
    def check(text: str) -> None:
        assert_offsets_exact(tokenizer, text)

    check()
