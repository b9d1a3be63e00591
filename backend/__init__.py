"""Assay's application: the store, the rules, the pages and the jobs."""
