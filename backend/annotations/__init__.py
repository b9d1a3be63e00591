"""What people said: push tasks, take annotations in, keep the store equal to Label Studio."""
