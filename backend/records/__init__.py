"""The store of governed rows: datasets and the versions of their records."""
