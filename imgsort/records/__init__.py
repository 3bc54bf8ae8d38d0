"""The nouns that travel between rooms: frozen values, no database and no disk.

An *arrival* is one file that came through the inbox or was found in the folders; an *image* is its
content, known by its SHA-256, of which there may be several arrivals. A *verdict* is what a model
says of an image: a label, a confidence, and a decision (filed, unsure). A *label* is what a person
says. A *plan* is one move of one file, written into the *journal* before it happens. A *model card*
tells what a version is.
"""
