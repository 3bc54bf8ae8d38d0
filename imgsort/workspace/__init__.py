"""What a user calls a workspace: its folders, its configuration, its class names.

A *picture folder* is inbox, sorted, unsure or rejected; a *class folder* lies in sorted/ and bears
the class's name. The *template* says where below sorted/ a picture goes. Two *locks* keep movers
apart: the filing lock for moves, the retrain lock for trainings.
"""
