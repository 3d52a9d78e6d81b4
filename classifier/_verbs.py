"""Rooms that are named like a command can be called like it: `classifier.agreement("coded")`.

`DeprecatedChart` is what goes with the next version.
"""

import sys
import warnings
from importlib import import_module
from types import ModuleType
from typing import Any


class _Verb(ModuleType):
    """A package that can be called."""

    def __call__(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Do what the command of this name does; see the function that `__doc__` names."""
        where, _, name = self.__dict__["_verb"].partition(":")
        return getattr(import_module(where), name)(*args, **options)


def callable_as(package: str, verb: str) -> None:
    """Make a package callable.

    The class of a module may be changed: see "Customizing module attribute access" in the reference
    of Python.

    Args:
        package: Its name, `__name__`.
        verb: The function, "module:name"; it is imported when it is called.
    """
    module = sys.modules[package]
    module.__dict__["_verb"] = verb
    module.__class__ = _Verb


class DeprecatedChart:
    """Results that had a method `chart`; now `classifier.chart(result)` draws them."""

    def chart(self, what: str = "") -> Any:  # noqa: ANN401
        """Draw the result; use `classifier.chart(result, what)` instead."""
        warnings.warn(
            "result.chart() goes with the next version; use classifier.chart(result)",
            DeprecationWarning,
            stacklevel=2,
        )
        return import_module("classifier.report").chart(self, what)
