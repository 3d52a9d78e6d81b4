"""Requests for labels, and their answers' way back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import classifier
from classifier.annotations import Annotation, AnnotationSet, annotation_table
from classifier.codebook import default_codebook
from classifier.errors import DataError
from classifier.labels import LabelOptions, short_name
from classifier.models import cut_passages
from classifier.prompts import PromptOptions, Prompts, make_prompts
from classifier.records import Article, Span

TEXT = "Turkey praised Russia. It rained. Nothing else. More of it. Turkey waits."
UNITS = {"a1:0-6:TR": "favourable", "a1:15-21:RU": "neutral", "a1:60-66:TR": "unfavourable"}


@pytest.fixture(scope="module")
def coded() -> AnnotationSet:
    codebook = default_codebook()
    article = Article("a1", TEXT, "De Vliet", "en")
    places = [(unit.rsplit(":", 2)[1].split("-"), unit.rsplit(":", 1)[1]) for unit in UNITS]
    spans = [(Span(int(start), int(end)), target) for (start, end), target in places]
    annotations = [
        Annotation("a1", span, target, span.of(TEXT), "ann", {"stance": "neutral"})
        for span, target in spans
    ]
    return AnnotationSet((article,), annotation_table(annotations, codebook), codebook)


def made(coded: AnnotationSet, **options: Any) -> Prompts:  # noqa: ANN401
    return make_prompts(coded, options=PromptOptions(**{"batch": "text", **options}))


def _reply(names: list[str], per: str) -> str:
    labels = {short_name(unit): label for unit, label in UNITS.items()}
    if per == "mention":
        return json.dumps({"stance": labels[names[0]], "roles": []})
    said = [{"unit": name, "stance": labels[name], "roles": []} for name in names]
    return f"```json\n{json.dumps({'mentions': said})}\n```"


def _named(request: Mapping[str, Any]) -> list[str]:
    return [short_name(unit) for unit in UNITS if short_name(unit) in json.dumps(request)]


def _answered(request: Mapping[str, Any], batch: str, per: str) -> dict[str, Any]:
    text = _reply(_named(request), per)
    if batch == "text":
        return {"unit": request["unit"], "answer": text}
    name = request["custom_id"]
    if batch == "anthropic":
        message = {"content": [{"type": "text", "text": text}]}
        return {"custom_id": name, "result": {"type": "succeeded", "message": message}}
    body = {"choices": [{"message": {"content": text}}]}
    return {"custom_id": name, "response": {"status_code": 200, "body": body}}


@pytest.mark.parametrize("batch", ["openai", "anthropic", "text"])
@pytest.mark.parametrize("per", ["mention", "passage"])
def test_answers_come_back_through_the_reader(
    coded: AnnotationSet, tmp_path: Path, batch: str, per: str
) -> None:
    model = "" if batch == "text" else "some-model"
    made(coded, batch=batch, per=per, model=model).write(tmp_path / "batch.jsonl")
    lines = (tmp_path / "batch.jsonl").read_text().splitlines()
    answers = [_answered(json.loads(line), batch, per) for line in lines]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)))
    options = LabelOptions(answer="answer" if batch == "text" else None)
    read = classifier.read_predictions(tmp_path / "answers.jsonl", articles=coded, options=options)
    frame = read.to_frame().set_index("unit")
    assert frame["stance"].to_dict() == UNITS
    assert not read.problems


def test_passages_are_those_that_a_model_reads(coded: AnnotationSet) -> None:
    article = coded.articles[0]
    units = {"a1:0-6:TR": Span(0, 6), "a1:15-21:RU": Span(15, 21), "a1:60-66:TR": Span(60, 66)}
    passages = cut_passages(article, units, lambda texts: [[0] for _ in texts])
    shown = [request["prompt"].split("Passage:\n")[1] for request in made(coded).requests]
    bare = [text.replace("[[", "").replace("]]", "") for text in shown]
    assert bare == [passage.text for passage in passages for _ in passage.mentions]
    assert shown[1].startswith("Turkey praised [[Russia]].")


def test_two_mentions_in_one_place_are_both_marked() -> None:
    codebook = default_codebook()
    article = Article("a1", "Ruslanddeskundigen zwijgen.", language="nl")
    annotations = [
        Annotation("a1", Span(0, end), target, article.text[:end], "ann", {"stance": "neutral"})
        for end, target in ((7, "RU"), (18, "TR"))
    ]
    coded = AnnotationSet((article,), annotation_table(annotations, codebook), codebook)
    (request,) = made(coded, per="passage").requests
    outer, inner = short_name("a1:0-18:TR"), short_name("a1:0-7:RU")
    assert request["prompt"].endswith(f"[[{outer}: [[{inner}: Rusland]]deskundigen]] zwijgen.")


def test_the_request_holds_definitions_rules_and_schema(coded: AnnotationSet) -> None:
    prompt = made(coded, rules="Attitude, not event.").requests[0]["prompt"]
    stance = coded.codebook.variable("stance")
    assert all(label.definition.strip() in prompt for label in stance.labels)
    assert "Rules:\nAttitude, not event." in prompt
    assert "voice (" not in prompt


def test_the_schema_takes_our_labels_only(coded: AnnotationSet) -> None:
    request = made(coded, batch="openai", model="m").requests[0]
    schema = request["body"]["response_format"]["json_schema"]["schema"]
    jsonschema.validate({"stance": "neutral", "roles": ["victim"]}, schema)
    with pytest.raises(jsonschema.ValidationError, match="'bad' is not one of"):
        jsonschema.validate({"stance": "bad", "roles": []}, schema)


def test_names_fit_every_interface(coded: AnnotationSet) -> None:
    names = [r["custom_id"] for r in made(coded, batch="anthropic", model="m").requests]
    assert all(len(name) <= 64 and name.isalnum() for name in names)


def test_the_price_is_tokens_times_prices(coded: AnnotationSet) -> None:
    prompts = made(coded, input_price=2.0, output_price=10.0)
    expected = (prompts.input_tokens * 2 + prompts.output_tokens * 10) / 1e6
    assert prompts.price == pytest.approx(expected)
    # {"stance": "unfavourable", "roles": ["aggressor"]} has 51 characters: 13 tokens, three times.
    assert prompts.output_tokens == 39


def test_without_prices_none_is_invented(coded: AnnotationSet) -> None:
    assert made(coded).price is None
    assert "no price: give --price" in repr(made(coded))


def test_a_batch_needs_a_model_and_articles_need_mentions() -> None:
    with pytest.raises(DataError, match="batch for openai needs the name of a model"):
        PromptOptions(batch="openai")
    with pytest.raises(DataError, match="mentions to ask about were required, 1 article hold none"):
        make_prompts([Article("a1", "It rains.", language="en")])
