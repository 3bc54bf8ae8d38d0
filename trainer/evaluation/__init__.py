"""How good is the new model, and may it serve?

A *comparison* is the same pictures under champion and challenger; the *gate* decides; *results* are
all that the report shows; a *label error* is a label that heads contradict which haven't seen it.
"""
