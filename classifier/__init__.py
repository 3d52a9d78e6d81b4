"""Stance and framing of countries in the news: annotate, train, score, agree, report."""
