"""Records and labels as numbers: vectors, snapshots, model versions in memory."""
