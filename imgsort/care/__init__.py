"""Is the workspace well, and how does one get it back?

``status`` tells what lies where, ``health`` answers scripts, ``doctor`` finds what is wrong and the
remedy, *drift* is pictures unlike those the model knows, an *alarm* a rule on the last minutes. A
*backup* is one verified file; ``restore`` brings it back, ``rebuild`` makes a log from the folders.
The *heartbeat* is what a running daemon says of itself in state/status.json.
"""
