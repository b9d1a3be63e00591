"""Simulation on a labelled file: from its rows to features, from its columns to truth."""
