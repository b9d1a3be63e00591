"""Demo data with known truth, and annotators who answer from it."""
