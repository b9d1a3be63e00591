"""Labelling guidelines: versions, what is shown in Label Studio, rules that are unclear."""
