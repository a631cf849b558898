"""A messaging system that does not exist: it answers triggers with made-up reports, so that the loop can be seen."""
