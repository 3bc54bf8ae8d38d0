"""Decode, predict, record and place: the stages a picture goes through."""
