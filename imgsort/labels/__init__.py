"""What people say of pictures, what follows from it, and taking it back.

A *word* is a label, a withdrawal or "never use". A label is *representative* if its picture was not
picked for what it shows: by an *audit* (drawn at random), a *confirmed* folder or an *import*.
``apply`` writes words down and moves their files; ``undo`` takes moves and words back, ``refile``
brings what nobody confirmed in line with a new model. A *session* is one command that does so.
"""
