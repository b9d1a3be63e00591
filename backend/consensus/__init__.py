"""The label of a record: what its answers add up to, and what a person decided."""
