"""Runs that measure, one folder a question; see each folder's README."""
