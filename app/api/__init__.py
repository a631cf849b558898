"""The HTTP API: what a worker tells programs and pages, of all partitions, and what it takes from producers."""
