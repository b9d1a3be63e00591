"""Suggestions that a Label Studio fetches by itself, over its ML backend protocol."""
