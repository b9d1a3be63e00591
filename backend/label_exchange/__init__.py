"""Labels out of Assay with their lineage, and labels of other Label Studio projects in."""
