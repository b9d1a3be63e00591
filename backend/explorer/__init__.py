"""Pages on every record and what the champion says of it."""
