"""What is going on: one status report for the pages, the API and the CLI."""
