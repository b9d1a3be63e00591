"""The next batch: which records people are asked about, and why."""
