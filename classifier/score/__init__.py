"""Apply a trained model: texts or articles in, a row for every mention out."""

from classifier._verbs import callable_as
from classifier.score._explain import (
    FEWEST_WORDS,
    Faithful,
    Faithfulness,
    Moved,
    faithfulness,
    moves,
    random_places,
    summarised,
)
from classifier.score._parts import Engine, judge_locally, local_engine
from classifier.score._prepare import Articles
from classifier.score._ray import ray_engine
from classifier.score._scorer import Scorer, load
from classifier.score._stream import Scored, score_to_file

__all__ = [
    "FEWEST_WORDS",
    "Articles",
    "Engine",
    "Faithful",
    "Faithfulness",
    "Moved",
    "Scored",
    "Scorer",
    "faithfulness",
    "judge_locally",
    "load",
    "local_engine",
    "moves",
    "random_places",
    "ray_engine",
    "score_to_file",
    "summarised",
]

callable_as(__name__, "classifier.score._scorer:score")
