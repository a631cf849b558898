"""Explanations: why a user has the tags that they have, in words."""
