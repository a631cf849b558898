"""What Rekindle remembers: a row a user, timers, the table of a partition, the merge. Nothing is decided here."""
