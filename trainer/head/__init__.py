"""Training: from embeddings and labels to a calibrated head."""
