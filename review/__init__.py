"""The wing that shows: a page in the browser on which people go through pictures by key.

``server`` listens on loopback, and ``gate`` lets in who has a *link* (``sign_in``); ``routes`` has
what can be asked. A *list* is a snapshot of pictures in their order, an *act* what one key says of
one or many. ``thumbnails`` shows pixels that a decoder worker gave, never a file's own bytes;
``events`` tells every open *tab* what happens; ``training`` starts `imgsort retrain` and follows
whichever runs.
"""
