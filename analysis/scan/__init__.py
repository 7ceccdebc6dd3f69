"""Scans: many pairs or specifications at once, in bounded blocks of work."""
