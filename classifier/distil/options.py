"""What a distillation is told: the one record that every stage reads."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from classifier.errors import ModelError
from classifier.models.bases import MINILM

Report = Callable[[str], None]
"""Called with one line of progress at a time."""


@dataclass(frozen=True)
class DistilOptions:
    """A whole run. Equal options and equal data give the same model on one machine."""

    parallel: Path
    """Folder of `en-<language>.tsv` or `.tsv.gz`: English, the other language, perhaps origin."""
    out: Path
    """Folder for the finished base; its neighbour `<out>.work` keeps what a resumed run needs."""
    teacher: str = MINILM
    """Folder, known name or Hub id of an English encoder of the BERT family."""
    english: tuple[Path, ...] = ()
    """Plain English text, a sentence a line: the student reads it as the teacher does."""
    start: Path | None = None
    """A finished base to go on from, with its tokenizer, in place of a new token table."""
    notes: str = ""
    """Markdown for the model card: terms of teacher and English text, and what else matters."""
    vocabulary: int = 30_464
    """Rows of the token table, special tokens included."""
    teacher_pieces: int = 0
    """Of these rows, how many are the teacher's pieces most used in the English text. English then
    reads as it does there; the rest is learnt from the other languages. 0 learns all from all."""
    cased: bool = False
    held_out: int = 2000
    """Pairs per language kept from training, for the evaluation at the end."""
    held_out_origins: tuple[str, ...] = ()
    """Origins they are drawn from, where there are enough of them; () for any."""
    words: tuple[str, ...] = ("dictionary",)
    """Origins of single words and phrases: never held out."""
    alignment_only: tuple[str, ...] = ("dictionary",)
    """Origins that teach the tokenizer and the word alignment, but are no sentences to train on."""
    english_share: float = 4.0
    """Weight of English among the languages where a student token stands for several things."""
    varied: int = 0
    """English sentences read once more with some words exchanged for rarer ones."""
    passages: int = 0
    """Passages a language, of `max_tokens` to `passage_tokens` tokens, made of its sentences."""
    passage_tokens: int = 256
    max_tokens: int = 96
    epochs: float = 2.0
    """Times through all examples; 0 stops after the start from aligned tokens."""
    batch_tokens: int = 4096
    """Tokens a step, padding included."""
    lr_embeddings: float = 1e-3
    lr_body: float = 2e-4
    warmup_steps: int = 50
    cooldown_steps: int = 300
    """Length of the linear fall of the learning rate to 0 at the end; constant before."""
    english_weight: float = 3.0
    """Weight of an English example beside another: holds the student to the teacher in English."""
    token_weight: float = 0.5
    contrastive_weight: float = 0.1
    temperature: float = 0.05
    max_minutes: float | None = None
    """Minutes of training after which the fall of the learning rate begins, whatever `epochs` says;
    0 finishes an interrupted run at once."""
    checkpoint_minutes: float = 5.0
    seed: int = 1
    device: str = "cpu"
    threads: int | None = None
    """Processor threads; None for torch's own choice."""

    def __post_init__(self) -> None:
        """Refuse what no run can be made of."""
        if self.vocabulary < 1000:
            raise ModelError(
                f"a vocabulary of at least 1000 tokens is required, got {self.vocabulary}"
            )
        if self.teacher_pieces and (self.cased or self.teacher_pieces >= self.vocabulary):
            raise ModelError(
                f"fewer teacher pieces than the vocabulary of {self.vocabulary} and no capitals "
                f"are required, got {self.teacher_pieces} and cased={self.cased}"
            )
        if not 8 <= self.max_tokens <= 256:
            raise ModelError(f"max_tokens must lie in 8..256, got {self.max_tokens}")
        if not self.max_tokens <= self.passage_tokens <= 256:
            raise ModelError(
                f"passage_tokens must lie in {self.max_tokens}..256, got {self.passage_tokens}"
            )
        if self.epochs < 0 or self.held_out < 2:
            raise ModelError(
                f"epochs of at least 0 and 2 held-out pairs are required, "
                f"got {self.epochs} and {self.held_out}"
            )

    @property
    def work(self) -> Path:
        """Folder of tokenizer, alignment, teacher outputs and checkpoints, beside the base."""
        return self.out.with_name(self.out.name + ".work")
