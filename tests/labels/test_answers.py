"""Answers of language models: objects in a text field, batch outputs, several models in a table."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import classifier
from classifier.annotations import Annotation, AnnotationSet, annotation_table
from classifier.codebook import Codebook, default_codebook, parse_codebook, write_codebook
from classifier.errors import CodebookError, DataError
from classifier.labels import UNREAD, LabelOptions, short_name
from classifier.records import Article, Span

TEXT = "Turkey praised Russia. Turkey waits."
UNITS = ["a1:0-6:TR", "a1:15-21:RU", "a1:23-29:TR"]
LABELS = ["favourable", "neutral", "unfavourable"]


def _coded(codebook: Codebook) -> AnnotationSet:
    article = Article("a1", TEXT, "De Vliet", "en")
    places = ((Span(0, 6), "TR"), (Span(15, 21), "RU"), (Span(23, 29), "TR"))
    annotations = [
        Annotation("a1", span, target, span.of(TEXT), "ann", {"stance": "neutral"})
        for span, target in places
    ]
    return AnnotationSet((article,), annotation_table(annotations, codebook), codebook)


@pytest.fixture(scope="module")
def coded() -> AnnotationSet:
    return _coded(default_codebook())


def stances(source: object, coded: AnnotationSet, **options: Any) -> dict[str, str]:  # noqa: ANN401
    made = classifier.read_predictions(source, articles=coded, options=LabelOptions(**options))
    return dict(zip(made.table["unit"].to_pylist(), made.table["stance"].to_pylist(), strict=True))


def write_lines(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize(
    "answer",
    [
        '{{"stance": "{label}"}}',
        '```json\n{{"stance": "{label}"}}\n```',
        'Because it is praised.\n\n{{"stance": "{label}", "why": "praise"}}',
        "{label}",
        '{{"label": " {label} "}}',
    ],
)
def test_an_answer_in_a_text_field_is_read(
    coded: AnnotationSet, tmp_path: Path, answer: str
) -> None:
    records = [
        {"unit": unit, "reply": answer.format(label=label)}
        for unit, label in zip(UNITS, LABELS, strict=True)
    ]
    path = write_lines(tmp_path / "gpt.jsonl", records)
    assert stances(path, coded, answer="reply") == dict(zip(UNITS, LABELS, strict=True))


def test_a_path_leads_to_the_answer(coded: AnnotationSet) -> None:
    rows = [{"unit": UNITS[0], "reply": {"parts": [{"text": '{"stance": "neutral"}'}]}}]
    assert stances(rows, coded, answer="reply.parts.0.text") == {UNITS[0]: "neutral"}


def test_an_answer_may_hold_several_mentions(coded: AnnotationSet) -> None:
    said = [{"unit": unit, "stance": label} for unit, label in zip(UNITS, LABELS, strict=True)]
    rows = [{"article": "a1", "answer": json.dumps({"mentions": said})}]
    assert stances(rows, coded, answer="answer") == dict(zip(UNITS, LABELS, strict=True))


def test_an_answer_without_labels_is_listed_by_line(coded: AnnotationSet, tmp_path: Path) -> None:
    refusal = "I am sorry, but I cannot judge how a country is framed in this passage."
    records = [
        {"unit": UNITS[0], "answer": '{"stance": "neutral"}'},
        {"unit": UNITS[1], "answer": refusal},
    ]
    path = write_lines(tmp_path / "gpt.jsonl", records)
    made = classifier.read_predictions(path, articles=coded, options=LabelOptions(answer="answer"))
    (problem,) = [p for p in made.problems if p.reason == UNREAD]
    assert (problem.where, problem.detail) == (
        f"{path}:2",
        "no JSON object in 'I am sorry, but I cannot judge how a country is framed in th'",
    )


def test_a_field_that_is_not_there_names_the_columns(coded: AnnotationSet) -> None:
    with pytest.raises(DataError, match=r"field 'text' with the answers .* got the columns unit"):
        stances([{"unit": UNITS[0], "stance": "neutral"}], coded, answer="text")


def _openai(unit: str, text: str) -> dict[str, Any]:
    body = {
        "choices": [{"message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 90, "completion_tokens": 7},
    }
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "batch_1", "custom_id": short_name(unit), "response": response, "error": None}


def _responses(unit: str, text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text}]
    body = {"output": [{"type": "message", "content": content}], "usage": {"input_tokens": 90}}
    return {"custom_id": short_name(unit), "response": {"status_code": 200, "body": body}}


def _anthropic(unit: str, text: str) -> dict[str, Any]:
    message = {"content": [{"type": "text", "text": text}], "usage": {"input_tokens": 90}}
    return {"custom_id": short_name(unit), "result": {"type": "succeeded", "message": message}}


@pytest.mark.parametrize("shape", [_openai, _responses, _anthropic])
def test_batch_outputs_are_known_by_their_shape(
    coded: AnnotationSet,
    tmp_path: Path,
    shape: Any,  # noqa: ANN401
) -> None:
    records = [
        shape(unit, f'```json\n{{"stance": "{label}"}}\n```')
        for unit, label in zip(UNITS, LABELS, strict=True)
    ]
    path = write_lines(tmp_path / "batch.jsonl", records)
    made = classifier.read_predictions(path, articles=coded)
    assert made.to_frame().set_index("unit")["stance"].to_dict() == dict(
        zip(UNITS, LABELS, strict=True)
    )
    assert set(made.to_frame()["input_tokens"]) == {90}


def test_a_request_that_failed_is_listed(coded: AnnotationSet, tmp_path: Path) -> None:
    records = [
        _anthropic(UNITS[0], '{"stance": "neutral"}'),
        {"custom_id": short_name(UNITS[1]), "result": {"type": "expired"}},
    ]
    path = write_lines(tmp_path / "batch.jsonl", records)
    made = classifier.read_predictions(path, articles=coded)
    assert [p.detail for p in made.problems if p.reason == UNREAD] == ["there is no answer"]


def test_one_model_of_a_wide_table_is_read(coded: AnnotationSet) -> None:
    wide = pd.DataFrame({"unit": UNITS, "gpt": LABELS, "gpt_4": LABELS[::-1], "cost_gpt": 0.01})
    models = ("gpt", "gpt_4")
    expected = dict(zip(UNITS, LABELS, strict=True))
    assert stances(wide, coded, models=models, model="gpt") == expected
    assert list(stances(wide, coded, models=models, model="gpt_4").values()) == LABELS[::-1]
    options = LabelOptions(models=models, model="gpt")
    frame = classifier.read_predictions(wide, articles=coded, options=options).to_frame()
    assert set(frame["cost"]) == {0.01}


def test_a_model_without_a_column_names_the_columns(coded: AnnotationSet) -> None:
    with pytest.raises(DataError, match="column of the model 'llama' was required, got unit, gpt"):
        stances([{"unit": UNITS[0], "gpt": "neutral"}], coded, models=("llama",), model="llama")


def test_an_excel_file_is_read(coded: AnnotationSet, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    frame = pd.DataFrame({"unit": UNITS, "stance": LABELS, "why": ["a", None, "c"]})
    frame.to_excel(tmp_path / "labels.xlsx", index=False)
    assert stances(tmp_path / "labels.xlsx", coded) == dict(zip(UNITS, LABELS, strict=True))


def _with_counterparts(pairs: dict[str, str]) -> Codebook:
    label = {"definition": "Text."}
    variable = {
        "kind": "ordinal",
        "definition": "How warm.",
        "labels": [
            {"name": name, "number": i - 1, **label} for i, name in enumerate(reversed(LABELS))
        ],
    }
    names = {"TR": "Turkey", "RU": "Russia"}
    targets = {name: {"title": title, "lexicon": name} for name, title in names.items()}
    return parse_codebook(
        {
            "name": "own",
            "version": "1",
            "targets": targets,
            "variables": {"stance": variable},
            "counterparts": pairs,
        }
    )


def test_the_codebook_says_what_others_call_its_labels(tmp_path: Path) -> None:
    codebook = _with_counterparts({"pos*": "favourable", "negative": "unfavourable"})
    write_codebook(codebook, tmp_path / "codebook.toml")
    assert classifier.read_codebook(tmp_path / "codebook.toml") == codebook
    rows = pd.DataFrame({"unit": UNITS, "label": ["Positive", "neutral", "NEGATIVE"]})
    made = classifier.read_predictions(rows, articles=_coded(codebook))
    assert made.table["stance"].to_pylist() == LABELS


def test_what_the_user_says_goes_before_the_codebook() -> None:
    coded = _coded(_with_counterparts({"mixed": "favourable"}))
    rows = [{"unit": UNITS[0], "stance": "mixed"}]
    made = classifier.read_predictions(rows, articles=coded, mapping={"mixed": "neutral"})
    assert made.table["stance"].to_pylist() == ["neutral"]


def test_counterparts_lead_to_labels() -> None:
    with pytest.raises(CodebookError, match="'negative' leads to 'bad'"):
        _with_counterparts({"negative": "bad"})


def test_labels_show_themselves_in_a_notebook(coded: AnnotationSet) -> None:
    made = classifier.read_predictions([{"unit": UNITS[0], "stance": "neutral"}], articles=coded)
    assert "neutral" in made._repr_html_()


def test_what_a_row_took_is_shared_among_its_mentions(coded: AnnotationSet) -> None:
    rows = [{"article_id": "a1", "target": "TR", "stance": "neutral", "cost": 0.3}]
    frame = classifier.read_predictions(rows, articles=coded).to_frame()
    assert frame["cost"].tolist() == [0.15, 0.15]
