"""Notices to other systems by webhook: who is told what, sent once signed, and what came of it."""
