"""Apply a trained model: texts or articles in, a row for every mention out."""

from classifier.score.load import load
from classifier.score.parts import Engine
from classifier.score.pipelined import judge_locally, local_engine
from classifier.score.ray_engine import ray_engine
from classifier.score.scorer import Articles, Scorer
from classifier.score.streaming import Scored, score_to_file

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
