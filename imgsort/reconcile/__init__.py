"""What people did with files by hand, found out and taken as their word.

A *scan* is what lies in the folders, a *look* compares it with what the log believes; *meaning* is
what follows: a picture moved to another class folder is a label, a folder called otherwise is a
class renamed, a file nobody filed is *adopted*. ``apply`` does all of it for daemon and commands.
"""
