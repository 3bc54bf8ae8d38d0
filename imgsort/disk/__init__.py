"""Files on a disk, whatever they hold: which one it is, writing that lasts, names, mounts."""
