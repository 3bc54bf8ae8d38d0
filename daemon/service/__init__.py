"""The daemon as a process: start, signals, reload, systemd, memory, end."""
