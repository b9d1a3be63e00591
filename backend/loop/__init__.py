"""The state of the loop and what is due; who has answered; the revision that counts."""
