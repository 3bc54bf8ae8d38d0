"""Heads: from an embedding to a probability for each class, in NumPy alone.

The *first model* sums ImageNet's classes into the user's; a *learned* one corrects what that says
by what labels taught. *Novelty* is how far a picture lies from all that was learned of.
"""
