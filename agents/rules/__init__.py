"""Rules: how tags follow from what users do."""
