"""The embedded stack: Label Studio, API and worker as processes on loopback."""
