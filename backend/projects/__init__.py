"""Projects: one labelling effort each, with its label schema and its loop policy."""
