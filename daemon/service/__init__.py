"""The daemon as a process: start, signals, reload, end."""
