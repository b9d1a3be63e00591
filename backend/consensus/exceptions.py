"""What can go wrong with consensus labels."""


class LabelsWritten(Exception):
    """Somebody else wrote the project's labels while these were computed: compute them again."""
