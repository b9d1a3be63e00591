"""What was made by mistake is taken away: projects, datasets, fields of datasets."""
