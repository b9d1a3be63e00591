"""Pages on records and what the champion says of them: look, choose, send on."""
