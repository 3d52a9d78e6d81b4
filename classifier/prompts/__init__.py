"""Requests that ask a language model for labels; they are written to a file, never sent."""

from classifier.prompts._requests import Batch, PromptOptions, Prompts, make_prompts

__all__ = ["Batch", "PromptOptions", "Prompts", "make_prompts"]
