"""What the champion says of every record: verdicts, and answers at once."""
