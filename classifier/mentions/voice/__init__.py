"""Whose words a mention stands in."""

from classifier.mentions.voice._find import TextReports, find_reports
from classifier.mentions.voice._quotations import Report, Reports, voice_at

__all__ = [
    "Report",
    "Reports",
    "TextReports",
    "find_reports",
    "voice_at",
]
