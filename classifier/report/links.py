"""Links from a figure to the evidence behind it."""

from collections.abc import Mapping
from urllib.parse import urlencode

from classifier.profiles import ALL_VOICES, ProfileRow


def evidence_link(filters: Mapping[str, str]) -> str:
    """The part of an address that sets the evidence browser's filters.

    >>> evidence_link({"source": "De Vliet", "target": "TR"})
    '#evidence?source=De+Vliet&target=TR'
    """
    return f"#evidence?{urlencode(filters, errors='replace')}"


def group_filters(row: ProfileRow) -> dict[str, str]:
    """The filters that leave the mentions of a group."""
    return dict(row.group) | ({} if row.voice == ALL_VOICES else {"voice": row.voice})
