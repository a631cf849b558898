"""Gender: what users state of themselves, and a model that learns from those who do, for those who say nothing."""
