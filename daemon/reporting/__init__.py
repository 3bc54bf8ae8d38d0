"""What the daemon tells of itself in figures."""
