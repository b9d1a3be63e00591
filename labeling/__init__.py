"""Label Studio and the mathematics of labels. No database."""
