"""Heads turn an embedding into a probability for each class."""
