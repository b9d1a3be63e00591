"""Label Studio Community: its server, its API, its screens, and how the two stay equal."""
