"""What other rules would change: two rulebooks over the same history."""
