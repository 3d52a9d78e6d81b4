"""The whole recipe: pairs in, a folder out that `AutoModel.from_pretrained` reads."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModel, PreTrainedModel
from transformers.utils import logging as transformers_logging

from classifier.distil.card import model_card
from classifier.distil.corpus import Corpus, build_corpus
from classifier.distil.evaluation import Figures, evaluate
from classifier.distil.options import DistilOptions, Report
from classifier.distil.pairs import Pair, Pairs, Split, parallel_files, read_pairs, split_pairs
from classifier.distil.student import (
    copy_special,
    initial_embeddings,
    load_student,
    make_student,
)
from classifier.distil.teacher import load_teacher, teacher_targets
from classifier.distil.tokenizer import balanced, most_used, save_tokenizer, train_tokenizer
from classifier.distil.training import Trainer
from classifier.errors import DataError, ModelError
from classifier.files import replacing, write_text
from classifier.models.folder import sha256
from classifier.resuming import claim

_FREE = (
    "out",
    "epochs",
    "cooldown_steps",
    "max_minutes",
    "notes",
    "checkpoint_minutes",
    "device",
    "threads",
)
"""Options that may change when a run is resumed."""


def _quiet(_: str) -> None:
    """Report to nobody."""


def _claim_work(options: DistilOptions) -> None:
    """Make the work folder, or check that it belongs to this run."""
    plain = json.loads(json.dumps(asdict(options), default=str))
    fixed = {name: value for name, value in plain.items() if name not in _FREE}
    files = [*parallel_files(options.parallel).values(), *options.english]
    wish = {**fixed, "files": {str(path): sha256(path) for path in files}}
    claim(options.work / "run.json", wish, resume=True)


def _english_lines(paths: Sequence[Path]) -> list[str]:
    lines: set[str] = set()
    for path in paths:
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: readable UTF-8 text is required, got: {error}") from error
        lines |= {line.strip() for line in text.splitlines() if line.strip()}
    return sorted(lines)


def _read(options: DistilOptions, report: Report) -> tuple[Pairs, Split]:
    pairs = read_pairs(options.parallel)
    dropped = Counter((p.where.split(":")[0], p.reason) for p in pairs.problems)
    for (name, reason), count in sorted(dropped.items()):
        report(f"{name}: {count} rows dropped: {reason}")
    split = split_pairs(
        pairs.pairs,
        options.held_out,
        np.random.default_rng(options.seed),
        options.held_out_origins,
        options.words,
    )
    for language, count in sorted(Counter(p.language for p in split.training).items()):
        report(f"{language}: {count} pairs to train on, {options.held_out} held out")
    return pairs, split


def _tokenizer_file(options: DistilOptions) -> Path:
    if options.start is None:
        return options.work / "tokenizer.json"
    path = options.start / "tokenizer.json"
    if not path.exists():
        raise ModelError(f"{path}: a finished base is required to go on from, this is missing")
    return path


def _student_tokenizer(
    options: DistilOptions, training: Sequence[Pair], english: Sequence[str], teacher: Tokenizer
) -> Tokenizer:
    path = _tokenizer_file(options)
    if not path.exists():
        texts = {"en": sorted({p.english for p in training} | set(english))}
        given = most_used(teacher, texts["en"], options.teacher_pieces)
        if given:
            del texts["en"]
        for pair in training:
            texts.setdefault(pair.language, []).append(pair.foreign)
        tokenizer = train_tokenizer(balanced(texts), options.vocabulary, options.cased, given)
        save_tokenizer(tokenizer, options.work, 512)
    return Tokenizer.from_file(str(path))


def _corpus(
    options: DistilOptions,
    training: Sequence[Pair],
    english: Sequence[str],
    tokenizers: tuple[Tokenizer, Tokenizer],
) -> Corpus:
    path = options.work / "corpus.safetensors"
    if not path.exists():
        corpus = build_corpus(training, english, tokenizers, options)
        with replacing(path) as draft:
            corpus.save(draft)
    return Corpus.load(path)


def _trained(
    options: DistilOptions,
    corpus: Corpus,
    teacher: tuple[PreTrainedModel, Tokenizer],
    report: Report,
) -> tuple[PreTrainedModel, str]:
    """The student after its last step, and how far that is."""
    model, tokenizer = teacher
    if options.start is not None:
        student = load_student(options.start)
    else:
        rows = model.get_input_embeddings().weight.detach().cpu().numpy()
        table = initial_embeddings(corpus.counts, rows)
        copy_special(table, rows, tokenizer)
        student = make_student(model, table)
    if not options.epochs:
        return student, "0 steps"
    targets = teacher_targets(model, corpus.teacher_ids, options.work, options.device, report)
    trainer = Trainer(student, corpus, targets, options)
    checkpoint = options.work / "checkpoint.safetensors"
    if checkpoint.exists():
        trainer.resume(checkpoint)
        report(f"resumed at step {trainer.step} of {trainer.steps}")
    trainer.train(checkpoint, report)
    return trainer.student, f"{trainer.step} steps, {trainer.passes:.2f} times through the examples"


def _write_base(
    options: DistilOptions,
    trained: tuple[PreTrainedModel, str],
    teacher: tuple[PreTrainedModel, Tokenizer],
    data: tuple[Pairs, Split],
) -> list[Figures]:
    """Write the folder, and judge the model that is read back from it."""
    student, length = trained
    draft = options.out.with_name(options.out.name + ".part")
    draft.mkdir(parents=True, exist_ok=True)
    student.to("cpu", torch.bfloat16).save_pretrained(draft)
    tokenizer = Tokenizer.from_file(str(_tokenizer_file(options)))
    save_tokenizer(tokenizer, draft, student.config.max_position_embeddings)
    final = AutoModel.from_pretrained(draft, attn_implementation="eager", dtype=torch.float32)
    final = final.to(options.device).eval()
    figures = evaluate(
        data[1].held_out, (final, tokenizer), (teacher[0].to(options.device), teacher[1])
    )
    hashes = {name: sha256(draft / name) for name in ("model.safetensors", "tokenizer.json")}
    write_text(draft / "README.md", [model_card(options, data, figures, hashes, length)])
    options.out.mkdir(parents=True, exist_ok=True)
    for path in sorted(draft.iterdir()):
        path.replace(options.out / path.name)
    draft.rmdir()
    return figures


def distil(options: DistilOptions, report: Report = _quiet) -> Path:
    """Teach a small encoder several languages from an English one; the finished folder.

    Goes on where an interrupted run of the same data and options stopped.

    Raises:
        DataError: the parallel files are malformed or too small.
        ModelError: the teacher cannot be used, or the work folder is another run's.
    """
    transformers_logging.disable_progress_bar()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    english = _english_lines(options.english)
    data = _read(options, report)
    _claim_work(options)
    teacher = load_teacher(options.teacher)
    tokenizer = _student_tokenizer(options, data[1].training, english, teacher[1])
    report(f"tokenizer: {tokenizer.get_vocab_size()} tokens")
    corpus = _corpus(options, data[1].training, english, (tokenizer, teacher[1]))
    report(f"{len(corpus.student_ids)} sentences, {len(corpus.student_ids.values)} tokens an epoch")
    trained = _trained(options, corpus, teacher, report)
    for figures in _write_base(options, trained, teacher, data):
        report(
            f"{figures.language}: {figures.to_english:.3f} of {figures.pairs} sentences find their "
            f"English one, {figures.from_english:.3f} the other way; "
            f"English keeps a cosine of {figures.english_cosine:.3f} to the teacher"
        )
    return options.out
