"""Sending a history to Kafka, as its producers would have."""
