"""Whose words a stretch of an article is: quotations and reports, found by rules per language."""

from classifier.voice.find import TextReports, find_reports
from classifier.voice.reports import Report, Reports, voice_at

__all__ = ["Report", "Reports", "TextReports", "find_reports", "voice_at"]
