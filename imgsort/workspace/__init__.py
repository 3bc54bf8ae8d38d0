"""What a user calls a workspace: its folders, its configuration, its class names.

A *picture folder* is inbox, sorted, unsure or rejected; a *class folder* lies in sorted/ and bears
the class's name. The *template* says where below sorted/ a picture goes. Four *locks*: one daemon,
one retrain and one backup at a time, and the filing lock, under which files move.
"""
