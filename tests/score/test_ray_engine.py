"""Ray judges as this process does, on a Ray of two processors that is started for the test.

That happens in a process of its own: Ray's own processes outlive what pytest allows.
"""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifier.annotations import AnnotationSet
from classifier.articles import article_record
from classifier.errors import ModelError
from classifier.files import write_json_lines
from classifier.score import Scorer, ray_engine, score_to_file
from classifier.score._ray import Pool, plan_pool

_SCRIPT = """
import json, sys
from pathlib import Path
import ray
from classifier.score import _stream as streaming
from classifier.score import load, ray_engine, score_to_file

run, linear_run, corpus, folder = map(Path, sys.argv[1:])
streaming.BATCH_ARTICLES = 7
scorer, linear, on_ray = load(run), load(linear_run), ray_engine()

def score(scorer, name, **how):
    done = score_to_file(scorer, corpus, folder / f"{name}.parquet", **how)
    problems = sorted(str(problem) for problem in done.problems)
    return [done.n_articles, done.n_with_mentions, dict(done.statuses), problems]

def stop(done, *_):
    if done >= 21:
        raise KeyboardInterrupt

said = {"here": score(scorer, "here"), "linear": score(linear, "linear")}
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
said["there"] = score(scorer, "there", engine=on_ray)
try:
    score(linear, "resumed", progress=stop)
except KeyboardInterrupt:
    said["resumed"] = score(linear, "resumed", engine=on_ray, resume=True)
try:
    score_to_file(linear, folder / "empty", folder / "none.parquet", engine=on_ray)
except ValueError as error:
    said["error"] = [type(error).__name__, str(error)]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def corpus(toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    records = [article_record(article) for article in toy_set.articles]
    write_json_lines(folder / "articles.jsonl", [*records, records[0]])
    (folder / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    return folder


@pytest.fixture(scope="module")
def said(
    encoder_run: Path, linear_run: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The folder with the results, and what the script says about them."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("the extra ray is not installed")
    folder = tmp_path_factory.mktemp("ray")
    (folder / "empty").mkdir()
    (folder / "empty" / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    places = [str(encoder_run), str(linear_run), str(corpus), str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, "-c", _SCRIPT, *places]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_rows_and_problems_are_those_of_this_process(said: tuple[Path, dict[str, Any]]) -> None:
    folder, results = said
    assert (folder / "there.parquet").read_bytes() == (folder / "here.parquet").read_bytes()
    assert results["there"] == results["here"]
    assert results["here"][0] == 40
    assert ["not UTF-8" in problem for problem in results["here"][3]].count(True) == 1
    assert ["repeated article_id" in problem for problem in results["here"][3]].count(True) == 1


@pytest.mark.slow
def test_ray_goes_on_where_this_process_stopped(said: tuple[Path, dict[str, Any]]) -> None:
    folder, results = said
    assert (folder / "resumed.parquet").read_bytes() == (folder / "linear.parquet").read_bytes()
    assert results["resumed"] == results["linear"]


@pytest.mark.slow
def test_an_error_of_ours_comes_back_as_itself(said: tuple[Path, dict[str, Any]]) -> None:
    kind, message = said[1]["error"]
    assert kind == "DataError"
    assert "at least one article was required" in message
    assert "\n" not in message


def test_a_scorer_without_a_folder_is_refused(scorer: Scorer, corpus: Path, tmp_path: Path) -> None:
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
