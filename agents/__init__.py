"""What Rekindle decides: pure steps from (row, event, now) to changes, and the partition that drives them by time."""
