"""Settings, database and errors: what every room stands on."""
