"""Files and SQL tables into datasets: readers, mapping, the import and its report."""
