"""What a browser fetches before it shows the first page: the page, and whatever it names or its scripts import at once."""

import re
from collections.abc import Mapping
from posixpath import dirname, join, normpath

from serving.dashboard.built_pages import PAGE, BuiltFile

# `import("./x.js")` comes later, when somebody asks for that page.
IMPORTED = re.compile(r"""(?<![\w$.])import\s*(?:[\w${},*\s]+from\s*)?["'](\.[^"']+)["']""")
NAMED = re.compile(r"""(?:src|href)="/([^"]+)\"""")


def first_load(built: Mapping[str, BuiltFile]) -> dict[str, int]:
    """Path of each file -> bytes as they are sent, compressed where they shrink."""
    waiting, sizes = [PAGE], dict[str, int]()
    while waiting:
        name = waiting.pop()
        file = built.get(name)
        if file is None or name in sizes:
            continue
        sizes[name] = len(file.compressed or file.content)
        text = file.content.decode("utf-8", "replace")
        if name == PAGE:
            waiting += NAMED.findall(text)
        elif name.endswith(".js"):
            waiting += [normpath(join(dirname(name), each)) for each in IMPORTED.findall(text)]
        elif name.endswith(".css"):
            waiting += [each.removeprefix("/") for each in re.findall(r"url\(([^)'\"]+)\)", text)]
    return sizes
