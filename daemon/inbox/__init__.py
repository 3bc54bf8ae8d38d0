"""The inbox as a stream of settled files.

The *watcher* gives hints, the *scan* finds the truth, what is found *waits* in a bounded window; a
file is *settled* when it has stopped changing and nobody writes it, which a *probe* looks at.
"""
