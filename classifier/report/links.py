"""Links from a figure to the evidence behind it."""

from collections.abc import Mapping
from urllib.parse import urlencode


def evidence_link(filters: Mapping[str, str]) -> str:
    """The part of an address that sets the evidence browser's filters.

    >>> evidence_link({"source": "De Vliet", "target": "TR"})
    '#evidence?source=De+Vliet&target=TR'
    """
    return f"#evidence?{urlencode(filters, errors='replace')}"
