"""Thresholds for rules, from the quantiles of a history."""
