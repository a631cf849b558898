"""Churn models, live: one process trains, every worker scores."""
