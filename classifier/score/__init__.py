"""Apply a trained model: texts or articles in, a row for every mention out."""

from classifier._verbs import callable_as
from classifier.score._load import load
from classifier.score._parts import Engine
from classifier.score._pipelined import judge_locally, local_engine
from classifier.score._ray import ray_engine
from classifier.score._scorer import Articles, Scorer
from classifier.score._stream import Scored, score_to_file

__all__ = [
    "Articles",
    "Engine",
    "Scored",
    "Scorer",
    "judge_locally",
    "load",
    "local_engine",
    "ray_engine",
    "score_to_file",
]

callable_as(__name__, "classifier.score._load:score")
