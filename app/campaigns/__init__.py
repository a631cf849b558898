"""Campaigns by hand: what people tell them, and what has come of it."""
