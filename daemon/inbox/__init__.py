"""The inbox as a stream of settled files."""
