"""The fault campaign: a whole system under load, faults from a seed, and a verdict from what is stored at the end."""
