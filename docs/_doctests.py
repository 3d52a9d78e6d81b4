"""An extension of griffe: examples in docstrings become code blocks on the API pages."""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"(?:^|\n\n)((?:>>> .*)(?:\n.+)*(?:\n\n>>> .*(?:\n.+)*)*)")


class Doctests(griffe.Extension):
    """Puts a fence around every example."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401
        """Change the docstring before it is parsed."""
        if obj.docstring:
            text = obj.docstring.value
            obj.docstring.value = _EXAMPLE.sub(r"\n\n```pycon\n\1\n```", text).strip()
