"""Labelled pictures made ready for training and judging."""
