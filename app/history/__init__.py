"""History files as one stream of checked events in the order of their time."""
