"""Labelled pictures made ready for training and judging.

A *group* is pictures of one scene (near-duplicates, a burst), dealt into one *fold* together; a
*stratum* is pictures that the model of the time treated alike, for which a label speaks.
"""
