"""One table: imgsort beside what else people use on a folder of pictures, in one run.

    python -m benchmarks.beside          # or: make bench

A contender is a program of its own, in a process of its own; all get the same pictures, in turn,
round by round, so that ratios hold on a noisy machine.
"""
