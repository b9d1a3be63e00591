"""What the newest classifier says about the labels people gave."""
