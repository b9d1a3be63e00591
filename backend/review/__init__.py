"""The review desk: consensus labels, cases where people or classifier disagree, decisions."""
