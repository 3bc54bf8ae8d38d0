"""The backfill: an archive of any size, classified where it lies.

A *job* is one archive under one model, in a folder of its own below ``backfill/``. Its *manifest*
lists the pictures in Parquet, cut into *units* of some thousand. A unit is judged as a whole and
becomes one *part*, a Parquet file; that its file has its name is what says that the unit is done,
so a job that was killed goes on with the units that have no part. An *engine* runs the units: this
process, or the actors of a Ray cluster. ``ingest`` puts parts into the log, each once.

Nothing imports this wing but its command. pyarrow, fsspec and Ray are extras of the installation.
"""
