"""Who may come in: users, API keys, login."""
