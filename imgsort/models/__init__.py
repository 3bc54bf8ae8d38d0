"""All that judges pictures.

A *backbone* is a frozen network that turns pixels into an *embedding*; a *runtime* runs it on this
machine; a *head* turns the embedding into a probability for each class, and a *classifier* that
into verdicts by thresholds. A *version* is a published head with its card; the *registry* keeps
them, and *serving* is the active one, ready to judge.
"""
