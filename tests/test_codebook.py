from pathlib import Path
from typing import Any

import pytest

from classifier.codebook import default_codebook, parse_codebook, read_codebook, write_codebook
from classifier.errors import CodebookError
from classifier.mentions import find_mentions
from classifier.records import Article


def scheme() -> dict[str, Any]:
    """A small valid codebook; each test breaks one thing in it."""
    return {
        "name": "toy",
        "version": "1",
        "targets": {"AM": {"title": "Armenia", "aliases": {"nl": ["Armenië"]}}},
        "variables": {
            "tone": {
                "kind": "ordinal",
                "definition": "How warm.",
                "labels": [
                    {"name": "cold", "number": -1, "definition": "Cold."},
                    {"name": "warm", "number": 1, "definition": "Warm."},
                ],
            }
        },
    }


def test_default_codebook_orders_stance_from_unfavourable_to_favourable() -> None:
    assert default_codebook().variable("stance").numbers == (-1.0, 0.0, 1.0)


def test_default_codebook_maps_the_three_outcomes_of_the_voice_rules() -> None:
    voice = default_codebook().variable("voice")
    assert [voice.counterpart("rules", k) for k in ("rest", "report", "quotation")] == [
        "author",
        "attributed",
        "quoted",
    ]


def test_own_targets_and_variables_need_no_code() -> None:
    codebook = parse_codebook(scheme())
    assert codebook.target_names == ("AM",)
    assert codebook.variable("tone").names == ("cold", "warm")
    assert not codebook.accepts_target("RU")


def test_any_target_accepts_every_name_but_the_empty_one() -> None:
    codebook = parse_codebook(scheme() | {"targets": "any"})
    assert codebook.any_target
    assert codebook.accepts_target("Winner")
    assert not codebook.accepts_target("")


def _tone(**changes: object) -> dict[str, Any]:
    data = scheme()
    data["variables"]["tone"] |= changes
    return data


def _label(**changes: object) -> dict[str, Any]:
    data = scheme()
    data["variables"]["tone"]["labels"][0] |= changes
    return data


_WARM = {"name": "warm", "number": 1, "definition": "Warm."}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(scheme() | {"colour": 1}, "got \\['colour'\\]", id="unknown key"),
        pytest.param(_tone(scale=3), "variable 'tone' allows", id="unknown key of a variable"),
        pytest.param(_tone(kind="ratio"), "needs a kind out of", id="unknown kind"),
        pytest.param(_tone(labels=[_WARM]), "needs a list of labels", id="one label"),
        pytest.param(_tone(labels=[_WARM, _WARM]), "must differ", id="duplicate label"),
        pytest.param(_label(definition=" "), "non-empty 'definition'", id="missing definition"),
        pytest.param(_label(number=2), "numbers must rise", id="falling scale"),
        pytest.param(_label(number=None), "needs a number", id="ordinal without number"),
        pytest.param(_label(counterparts={"x": [""]}), "non-empty strings", id="empty code"),
        pytest.param(scheme() | {"version": ""}, "non-empty 'version'", id="no version"),
        pytest.param(scheme() | {"variables": {}}, "at least one variable", id="no variable"),
        pytest.param(scheme() | {"targets": {}}, "at least one target", id="no target"),
        pytest.param(
            scheme() | {"targets": {"AM": {"title": "A", "aliases": {"nl": [""]}}}},
            "non-empty strings",
            id="empty alias",
        ),
        pytest.param(
            scheme() | {"targets": {"AM": {"title": "A"}}}, "got neither", id="unnameable target"
        ),
        pytest.param(
            scheme() | {"recodes": {"0": {"tone": {"icy": "frozen"}}}},
            "has the labels cold, warm; got 'frozen'",
            id="recode to an unknown label",
        ),
        pytest.param(
            scheme() | {"recodes": {"0": {"mood": {}}}}, "unknown variable 'mood'", id="recode"
        ),
    ],
)
def test_codebook_refuses(data: dict[str, Any], message: str) -> None:
    with pytest.raises(CodebookError, match=message):
        parse_codebook(data)


def test_a_path_may_be_text(tmp_path: Path) -> None:
    write_codebook(default_codebook(), tmp_path / "codebook.toml")
    assert read_codebook(str(tmp_path / "codebook.toml")) == default_codebook()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match=r"codebook\.toml: a codebook was required"):
        read_codebook(tmp_path / "codebook.toml")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "codebook.toml"
    path.write_text("")
    with pytest.raises(CodebookError, match=r"codebook\.toml: the codebook needs a table"):
        read_codebook(path)


def test_a_label_written_twice_in_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "codebook.toml"
    path.write_text('name = "a"\nname = "b"\n')
    with pytest.raises(CodebookError, match="must be UTF-8 TOML"):
        read_codebook(path)


def test_unknown_names_list_what_there_is() -> None:
    codebook = default_codebook()
    with pytest.raises(CodebookError, match="has the variables stance, roles, voice; got 'mood'"):
        codebook.variable("mood")
    with pytest.raises(CodebookError, match="no counterpart for rules code 'x'"):
        codebook.variable("voice").counterpart("rules", "x")
    with pytest.raises(CodebookError, match="'roles' is set: it has no numbers"):
        _ = codebook.variable("roles").numbers


def test_a_written_codebook_reads_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "codebook.toml"
    for data in (
        scheme(),
        scheme() | {"targets": "any", "recodes": {"0": {"tone": {"a": "warm"}}}},
    ):
        write_codebook(parse_codebook(data), path)
        assert read_codebook(path) == parse_codebook(data)
    write_codebook(default_codebook(), path)
    assert read_codebook(path) == default_codebook()


def _with_own_lexicon(folder: Path) -> Path:
    folder.mkdir()
    (folder / "AM.toml").write_text('[nl.AM.name]\narmenie = "Armenië"\n', encoding="utf-8")
    data = scheme() | {"targets": {"AM": {"title": "Armenia", "lexicon": "AM.toml"}}}
    written = folder / "codebook.toml"
    write_codebook(parse_codebook(data), written)
    return written


def test_a_targets_own_lexicon_lies_beside_the_codebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _with_own_lexicon(tmp_path / "scheme")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    codebook = read_codebook(path)
    assert codebook.targets[0].lexicon == str(tmp_path / "scheme" / "AM.toml")
    found = find_mentions(Article("a", "Armenië zwijgt.", language="nl"), codebook)
    assert [mention.surface for mention in found] == ["Armenië"]


def test_a_written_codebook_takes_the_lexicon_along(tmp_path: Path) -> None:
    codebook = read_codebook(_with_own_lexicon(tmp_path / "scheme"))
    write_codebook(codebook, tmp_path / "run" / "codebook.toml")
    (tmp_path / "run").rename(tmp_path / "moved")
    again = read_codebook(tmp_path / "moved" / "codebook.toml")
    assert again.targets[0].lexicon == str(tmp_path / "moved" / "AM.toml")
    assert (tmp_path / "moved" / "AM.toml").read_text(encoding="utf-8").startswith("[nl.AM.name]")
