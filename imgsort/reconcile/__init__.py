"""What people did with files by hand, found out and taken as their word."""
