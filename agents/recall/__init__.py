"""Recall: which campaign speaks to whom, when, and on which channel."""
