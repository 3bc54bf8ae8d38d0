"""The wing that learns from corrected labels.

``retrain`` reads as one paragraph: *dataset* makes labelled pictures ready, *head* trains a
*challenger* of the *champion*, which serves; *evaluation* judges both on pictures that neither has
seen, and its *gate* lets the better one serve; *report* shows how it was.
"""
