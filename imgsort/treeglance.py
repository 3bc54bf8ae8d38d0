"""Is everything where the log has it? Most looks at the folders end here.

A full look holds a thousand bytes a file, this one a hundred: a library of a million pictures must
not cost the daemon a gigabyte each time.
"""

from imgsort.store import Store
from imgsort.tree import Glance, KnownFile, Layout, class_of_folder
from imgsort.treescan import glance, is_at, sign_of

LATELY = 4096
"""Files that may have landed since the glance, and are looked at one by one."""


def all_in_place(layout: Layout, store: Store) -> bool:
    """True only where a full look would find nothing to learn and nothing to say.

    Raises FilingPaused where a picture folder is missing, or what the store raises.
    """
    seen = glance(layout)  # before the log is read, as in a full look
    if not seen.complete or not _same_folders(seen, store) or store.contested():
        return False
    lately: list[KnownFile] = []
    for one in store.known_files():
        sign = sign_of(one.location, one.identity)
        if one.missing:
            continue  # back at its place, it is a sign too many
        if sign in seen.signs:
            seen.signs.discard(sign)
        elif len(lately) == LATELY:
            return False
        else:
            lately.append(one)
    return not seen.signs and all(is_at(one.location, one.identity) for one in lately)


def _same_folders(seen: Glance, store: Store) -> bool:
    known = {one.name: (one.dev, one.ino) for one in store.known_classes()}
    return all(
        known.get(class_of_folder(folder.name) or "") == (folder.dev, folder.ino)
        for folder in seen.folders
    )
