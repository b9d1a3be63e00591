"""The loop over the store: learn from labels, decide the champion, choose the next batch."""
