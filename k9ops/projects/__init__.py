"""Projects, their places, and who is assigned to them."""
