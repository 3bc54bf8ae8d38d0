"""The wing that learns from corrected labels."""
