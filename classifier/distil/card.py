"""The model card that a finished base carries."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classifier.distil.evaluation import Figures
from classifier.distil.options import DistilOptions
from classifier.distil.pairs import Pairs, Split, parallel_files

_SETTINGS = (
    *("vocabulary", "teacher_pieces", "cased", "batch_tokens", "max_tokens"),
    *("lr_embeddings", "lr_body", "warmup_steps", "cooldown_steps"),
    *("token_weight", "contrastive_weight", "temperature", "english_share", "english_weight"),
    *("words", "alignment_only", "varied", "passages", "held_out_origins", "seed"),
)
"""Options that the card names."""


def _terms(folder: Path) -> str:
    """The tables of the data folder's README: what each part is and on what terms it came."""
    readme = folder / "README.md"
    lines = readme.read_text("utf-8").splitlines() if readme.exists() else []
    table = [line for line in lines if line.startswith("|")]
    if not table:
        return "The data folder states no terms (no README.md with a table)."
    return "\n".join(table)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _figures(figures: Sequence[Figures]) -> str:
    return _table(
        ("language", "pairs", "to English", "from English", "English", "tokens"),
        [
            (
                f.language,
                f.pairs,
                f"{f.to_english:.3f}",
                f"{f.from_english:.3f}",
                f"{f.english_cosine:.3f}",
                f"{f.tokens:.1f}",
            )
            for f in figures
        ],
    )


def _rows(data: tuple[Pairs, Split]) -> str:
    pairs, split = data
    read, trained = (
        Counter(p.language for p in pairs.pairs),
        Counter(p.language for p in split.training),
    )
    dropped = Counter(p.where.split(".")[0].removeprefix("en-") for p in pairs.problems)
    return _table(
        ("language", "usable rows", "dropped", "to train on", "held out"),
        [
            (code, read[code], dropped[code], trained[code], len(split.held_out[code]))
            for code in sorted(read)
        ],
    )


def model_card(
    options: DistilOptions,
    data: tuple[Pairs, Split],
    figures: Sequence[Figures],
    hashes: dict[str, str],
    length: str,
) -> str:
    """Markdown: what it is, how it was made, of what data on what terms, how good it is."""
    languages = ["en", *sorted(data[1].held_out)]
    if options.start is not None:
        length += "; it went on from a finished base (see the notes below)"
    teacher = options.teacher
    files = [*parallel_files(options.parallel).values(), *options.english]
    return CARD.format(
        yaml="\n".join(f"- {code}" for code in languages),
        names=", ".join(languages),
        teacher=Path(teacher).name if Path(teacher).is_dir() else teacher,
        settings=", ".join(f"{name} {getattr(options, name)}" for name in _SETTINGS),
        length=length,
        files=", ".join(f"`{path.name}`" for path in files),
        terms=f"{_terms(options.parallel)}\n\n{options.notes}".strip(),
        rows=_rows(data),
        figures=_figures(figures),
        hashes="\n".join(f"- `{name}` sha256 `{value}`" for name, value in hashes.items()),
    )


CARD = """---
language:
{yaml}
library_name: transformers
base_model: {teacher}
tags:
- feature-extraction
- sentence-similarity
---

# A small multilingual encoder

Reads {names}. Body of {teacher}, with a token table of its own, taught on parallel sentences to
give a translation the hidden states that the teacher gives the English sentence. Sentence
embedding: mean over the tokens of the last layer.

```python
from transformers import AutoModel, AutoTokenizer

model, tokenizer = AutoModel.from_pretrained("."), AutoTokenizer.from_pretrained(".")
```

## How it was made

Token rows start as means of the teacher's rows, weighted by IBM model 1 alignment. Loss: squared
error and cosine of the sentence embedding, squared error of aligned tokens, and picking one's own
English sentence in the batch. {length}. Settings: {settings}.

## Data and terms

From {files}.

{terms}

{rows}

## Figures

On pairs held out of training: share of sentences that find their translation among all held-out
ones of the language, both ways; cosine to the teacher on the English side; tokens per sentence.

{figures}

Limits: short texts for smaller languages; no claim for languages it was not taught; what the
teacher learnt from the web, prejudice included, it passes on.

## Hashes

{hashes}
"""
