"""What crosses the wire: events in, changes and dead letters out, and the time and ids that they share."""
