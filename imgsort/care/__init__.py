"""Care of the data: finding what is wrong, backups, and getting back what was lost."""
