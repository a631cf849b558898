"""The doctor: whether everything is there that Rekindle needs, and what to do where it is not."""
