"""Text made ready without torch: the same tokens as a tokenizer's own call gives."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from classifier.models.encoder._model import read_tokenizer
from classifier.models.encoder._tokens import EncodedPassage, TokenReader
from classifier.records import Passage, PassageMention, Span

TEXTS = (
    "The council praised Turkey’s patience… Türkiye'yi övdü.",
    "Москва промовчала; Kyiv did not.",
    "praised " * 60 + "Turkey",
)


@pytest.fixture(params=["tiny_bert", "tiny_xlmr"])
def tokenizer(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401
    folder: Path = request.getfixturevalue(request.param)
    return read_tokenizer(folder)


def passage_of(text: str) -> Passage:
    mention = PassageMention("u", Span(4, 11), Span(0, len(text)))
    return Passage("a", 0, text, "en", (mention,))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("limit", [16, 90])
def test_tokens_are_those_of_the_tokenizers_own_call(
    text: str,
    limit: int,
    tokenizer: Any,  # noqa: ANN401
) -> None:
    reader = TokenReader(tokenizer.backend_tokenizer, limit, limit)
    reader.token_starts([text])
    own = tokenizer(text, truncation=True, max_length=limit)["input_ids"]
    assert reader.encoded([passage_of(text)])[0].token_ids == tuple(own)


def test_tokens_begin_where_the_tokenizers_own_call_says(tokenizer: Any) -> None:  # noqa: ANN401
    reader = TokenReader(tokenizer.backend_tokenizer, 90, 90)
    own = tokenizer(list(TEXTS), add_special_tokens=False, return_offsets_mapping=True)
    assert list(reader.token_starts(TEXTS)) == [
        [start for start, _ in offsets] for offsets in own["offset_mapping"]
    ]


def test_what_was_encoded_is_not_encoded_again(tokenizer: Any) -> None:  # noqa: ANN401
    reader = TokenReader(tokenizer.backend_tokenizer, 90, 90)
    (ready,) = reader.encode([passage_of(TEXTS[0])])
    assert isinstance(ready, EncodedPassage)
    other = TokenReader(tokenizer.backend_tokenizer, 5, 5)
    mixed = other.encoded([passage_of(TEXTS[1]), ready])
    assert mixed[1] == ready.encoded
    assert len(mixed[0]) == 5


def test_a_reader_travels_and_reads_alike(tokenizer: Any) -> None:  # noqa: ANN401
    reader = TokenReader(tokenizer.backend_tokenizer, 90, 90)
    passages = [passage_of(text) for text in TEXTS]
    there = pickle.loads(pickle.dumps(reader))
    assert there.encode(passages) == reader.encode(passages)
