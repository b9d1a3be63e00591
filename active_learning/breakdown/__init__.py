"""Where a classifier is right and where it is wrong, on records drawn at random."""
