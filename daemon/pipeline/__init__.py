"""The stages a picture goes through: decode, predict, record and place.

They run side by side with bounded queues between them. A *batch* is what is judged together;
*liveness* is whether every stage gets on.
"""
