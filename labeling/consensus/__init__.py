"""The mathematics of several people's labels; knows nothing of Label Studio."""
