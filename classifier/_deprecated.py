"""Names of the version before this one; each warns and will go with the next version."""

import warnings
from importlib import import_module
from typing import Any


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
