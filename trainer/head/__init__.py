"""Training: from embeddings and labels to a calibrated head.

A *recipe* is what a head may look like; *members* are trained side by side, each blind to a fold;
the *temperature* makes confidences honest, *thresholds* reach the target precision.
"""
