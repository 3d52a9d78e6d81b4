"""Whose words a mention stands in.

`_quotes` decides where a quotation mark opens and closes, `_quotations` what a quotation reports.
"""

from classifier.mentions.voice._find import TextReports, find_reports, is_pronoun
from classifier.mentions.voice._quotations import Report, Reports, voice_at

__all__ = [
    "Report",
    "Reports",
    "TextReports",
    "find_reports",
    "is_pronoun",
    "voice_at",
]
