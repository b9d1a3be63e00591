"""Training the text encoder itself on the labels, behind the frozen one."""
