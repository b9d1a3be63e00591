"""Finds records among a dataset's current ones by their words and by their fields' values."""
