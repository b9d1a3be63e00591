"""Pages: templates, two languages, files for the browser."""
