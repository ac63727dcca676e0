"""People who sign in: users, roles, sessions, API tokens."""
