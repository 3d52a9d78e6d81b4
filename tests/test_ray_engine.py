"""Ray judges as this process does: on a Ray of two processors, started for the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from classifier.annotations import AnnotationSet
from classifier.articles import article_record
from classifier.errors import DataError, ModelError
from classifier.files import write_json_lines
from classifier.score import Scorer, load, ray_engine, score_to_file, streaming
from classifier.score.ray_engine import Pool, plan_pool
from classifier.training import TrainOptions, train

pytestmark = pytest.mark.filterwarnings(
    # Ray's own: files and sockets of the processes that it starts, and news of its next version.
    "ignore:.*override accelerator visible devices:FutureWarning",
    "ignore:unclosed:ResourceWarning",
    "ignore:subprocess .* is still running:ResourceWarning",
)


@pytest.fixture(scope="module")
def scorer(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory
) -> Scorer:
    options = TrainOptions(base_model=str(tiny_bert), epochs=1, batch_size=8, max_tokens=32)
    return load(train(toy_set, options, tmp_path_factory.mktemp("runs") / "run").path)


@pytest.fixture(scope="module")
def corpus(toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    records = [article_record(article) for article in toy_set.articles]
    write_json_lines(folder / "articles.jsonl", [*records, records[0]])
    (folder / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    return folder


@pytest.fixture(scope="module")
def two_processors() -> Iterator[None]:
    ray = pytest.importorskip("ray", reason="the extra ray is not installed")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("two_processors")
def test_rows_problems_and_errors_are_those_of_this_process(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 7)
    here = score_to_file(scorer, corpus, tmp_path / "here.parquet")
    there = score_to_file(scorer, corpus, tmp_path / "there.parquet", engine=ray_engine())
    assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    assert sorted(map(str, there.problems)) == sorted(map(str, here.problems))
    assert [p.reason for p in here.problems] == ["not UTF-8", "repeated article_id"]
    assert (there.n_articles, there.statuses) == (here.n_articles, here.statuses)


@pytest.mark.slow
@pytest.mark.usefixtures("two_processors")
def test_ray_goes_on_where_this_process_stopped(
    scorer: Scorer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 7)
    score_to_file(scorer, corpus, tmp_path / "calm.parquet")

    def stop(done: int, *_: object) -> None:
        if done >= 21:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_to_file(scorer, corpus, tmp_path / "p.parquet", progress=stop)
    done = score_to_file(scorer, corpus, tmp_path / "p.parquet", resume=True, engine=ray_engine())
    assert (tmp_path / "p.parquet").read_bytes() == (tmp_path / "calm.parquet").read_bytes()
    assert done.n_articles == 40


@pytest.mark.slow
@pytest.mark.usefixtures("two_processors")
def test_an_error_of_ours_comes_back_as_itself(scorer: Scorer, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(DataError, match="at least one article was required"):
        score_to_file(scorer, tmp_path / "corpus", tmp_path / "p.parquet", engine=ray_engine())


def test_a_scorer_without_a_folder_is_refused(scorer: Scorer, corpus: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    homeless = Scorer(replace(scorer.trained, folder=None))
    with pytest.raises(ModelError, match="needs a scorer that was loaded from a run folder"):
        score_to_file(homeless, corpus, tmp_path / "p.parquet", engine=ray_engine())


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        # A processor a process, as long as each has its 1.5 GB; 9 GB are enough for six of them.
        pytest.param({"CPU": 2.0, "memory": 9e9}, Pool(2, 0.8, 0.0, 0.2), id="laptop"),
        pytest.param({"CPU": 64.0, "memory": 9e9}, Pool(6, 0.8, 0.0, 0.2), id="little memory"),
        pytest.param({"CPU": 1.0, "memory": 1e9}, Pool(1, 0.8, 0.0, 0.2), id="least"),
        pytest.param({"CPU": 32.0, "GPU": 4.0, "memory": 9e9}, Pool(4, 0.5, 1.0, 0.5), id="GPUs"),
    ],
)
def test_the_pool_follows_what_ray_has(resources: dict[str, float], expected: Pool) -> None:
    assert plan_pool(resources) == expected
