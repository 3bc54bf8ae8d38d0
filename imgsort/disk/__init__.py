"""Files and folders as the system has them.

An *identity* is the few numbers that tell one file, with these bytes, from another. *Durable* is
what a power cut leaves whole: the old or the new. A *fail point* is a place where tests let the
process die. Names are bytes; ``display`` makes them safe to read, ``composed`` gives look-alikes
one spelling.
"""
