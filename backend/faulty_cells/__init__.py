"""Which fields of which records are probably wrong, and why."""
