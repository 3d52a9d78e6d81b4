"""A WordPiece tokenizer for several languages whose offsets point into the untouched text."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer

from classifier.files import write_text

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNK, CLS, SEP, MASK = range(5)
PREFIX = "##"
CHUNK = 5000
"""Texts encoded at once: bounds memory."""
_BLOCKS = ((0x21, 0x7F), (0xA1, 0x180), (0x400, 0x460), (0x490, 0x4A0), (0x218, 0x21C))
ALPHABET = (
    *(chr(code) for block in _BLOCKS for code in range(*block) if chr(code).isprintable()),
    *"–—…€₺₽₴№•ə",
)
"""Letters and signs that no word may turn unknown by, whether or not the training text has them."""
COMMON = 20
"""Occurrences from which another character of the training text counts as a letter too."""
MOST_CHARACTERS = 3000

_INVISIBLE = Regex("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe0e\ufe0f\ufeff]")
_APOSTROPHES = Regex("[\u2018\u2019\u201a\u201b\u02bc\u02b9`\u00b4]")
_QUOTATION_MARKS = Regex("[\u201c-\u201f\u00ab\u00bb]")


def normalizer(cased: bool) -> normalizers.Normalizer:
    """Compose letters, drop what is invisible, one form for quotation marks; accents stay.

    Turkish İ becomes i before lower-casing (Unicode would make it two characters); ı stays ı.
    """
    steps: list[normalizers.Normalizer] = [
        normalizers.NFC(),
        normalizers.Replace(_INVISIBLE, ""),
        normalizers.Replace(_APOSTROPHES, "'"),
        normalizers.Replace(_QUOTATION_MARKS, '"'),
    ]
    if not cased:
        steps += [normalizers.Replace("İ", "i"), normalizers.Lowercase()]
    return normalizers.Sequence(steps)


def _assembled(vocabulary: Sequence[str], cased: bool) -> Tokenizer:
    """A tokenizer with these pieces, in this order."""
    ids = {piece: number for number, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token=SPECIAL[UNK], continuing_subword_prefix=PREFIX))
    tokenizer.normalizer = normalizer(cased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)],
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def _alphabet(texts: Iterable[str], rules: normalizers.Normalizer) -> list[str]:
    """Characters that get a piece of their own: `ALPHABET`, and what is common in the texts."""
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(rules.normalize_str(text))
    common = sorted(seen, key=lambda character: (-seen[character], character))[:MOST_CHARACTERS]
    usual = {character for character in common if seen[character] >= COMMON}
    own = {piece for letter in ALPHABET if len(piece := rules.normalize_str(letter)) == 1}
    return sorted(character for character in usual | own if not character.isspace())


def most_used(tokenizer: Tokenizer, texts: Sequence[str], count: int) -> list[str]:
    """The `count` pieces that a tokenizer splits the texts into most often, special ones aside."""
    tokenizer.no_truncation()
    used: Counter[int] = Counter()
    for start in range(0, len(texts), CHUNK):
        for encoding in tokenizer.encode_batch_fast(list(texts[start : start + CHUNK])):
            used.update(encoding.ids)
    ranked = [tokenizer.id_to_token(n) for n in sorted(used, key=lambda n: (-used[n], n))]
    return [piece for piece in ranked if piece is not None and piece not in SPECIAL][:count]


def train_tokenizer(
    texts: Iterable[str], size: int, cased: bool, given: Sequence[str] = ()
) -> Tokenizer:
    """`size` pieces: every letter of the alphabet in both its forms, those given, and learnt ones.

    Text whose pieces are all given is split as by the tokenizer they come from, but where a learnt
    piece is longer.
    """
    kept = list(texts)
    draft = Tokenizer(WordPiece(unk_token=SPECIAL[UNK]))
    draft.normalizer = normalizer(cased)
    draft.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    alphabet = _alphabet(kept, draft.normalizer)
    # Named beforehand: the trainer numbers pieces as it meets them, in no fixed order, and breaks
    # ties between merges by number.
    first = [*SPECIAL, *alphabet, *(PREFIX + letter for letter in alphabet)]
    trainer = WordPieceTrainer(
        vocab_size=size,
        special_tokens=first,
        limit_alphabet=len(alphabet),
        initial_alphabet=alphabet,
        continuing_subword_prefix=PREFIX,
        show_progress=False,
    )
    draft.train_from_iterator(kept, trainer)
    learned = sorted(draft.get_vocab().items(), key=lambda item: item[1])
    pieces = dict.fromkeys([*first, *given, *(piece for piece, _ in learned)])
    return _assembled(list(pieces)[:size], cased)


def balanced(texts: Mapping[str, Sequence[str]], most: int = 4) -> Iterable[str]:
    """All texts, those of small languages up to `most` times, so that each gets its pieces."""
    characters = {language: sum(map(len, some)) for language, some in texts.items()}
    largest = max(characters.values())
    for language, some in texts.items():
        for _ in range(min(most, max(1, round(largest / characters[language])))):
            yield from some


def save_tokenizer(tokenizer: Tokenizer, folder: Path, max_length: int) -> None:
    """Write `tokenizer.json` (without white space) and the config that transformers reads."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    write_text(folder / "tokenizer.json", [tokenizer.to_str(pretty=False)])
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        "pad_token": SPECIAL[PAD],
        "unk_token": SPECIAL[UNK],
        "cls_token": SPECIAL[CLS],
        "sep_token": SPECIAL[SEP],
        "mask_token": SPECIAL[MASK],
    }
    write_text(folder / "tokenizer_config.json", [json.dumps(config, indent=2), "\n"])
