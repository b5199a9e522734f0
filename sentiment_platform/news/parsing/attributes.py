"""The attributes of a tag as XML wants them: each with a value in quotes, and each once; of two with one name the first counts.

Not here: what stands in a value, and prefixes that nothing binds (`mending`).
"""

import re

NAME = r"[^\W\d][\w.-]*+"
QNAME = rf"{NAME}(?::{NAME})?+"
_UNQUOTED = r"(?:[^\s\"'<>=/`]|/(?!\s*+>))++"
ATTRIBUTES = rf"(?:\s*+(?<=[\s\"']){QNAME}(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|{_UNQUOTED}))?+)*+"
"""What may stand between the name of a tag and its end, in careless feeds too."""
_ATTRIBUTE = re.compile(
    rf"(?P<before>\s*+)(?P<name>{QNAME})(?:(?P<equals>\s*+=\s*+)(?P<value>\"[^\"]*+\"|'[^']*+'|{_UNQUOTED}))?+"
)
_RESERVED = ("xmlns:xml", "xmlns:xmlns")


def tidied(attributes: str) -> tuple[str, int]:
    """The attributes of one tag, and how many were not as XML wants them; the text stays as it is where none was."""
    written, names, flaws = list[str](), set[str](), 0
    for attribute in _ATTRIBUTE.finditer(attributes):
        name, value = attribute["name"], attribute["value"]
        if name in names or name in _RESERVED:
            flaws += 1
            continue
        names.add(name)
        quoted = value if value and value[0] in "\"'" else f'"{value or ""}"'
        if name.startswith("xmlns"):
            # Without blanks around it, and no prefix is bound to nothing.
            quoted = f'"{quoted[1:-1].strip()}"' if quoted[1:-1].strip() or name == "xmlns" else f'"urn:unbound:{name[6:]}"'
        is_right = bool(attribute["before"]) and value is not None and quoted[1:-1] == value[1:-1]
        flaws += not is_right
        written.append(attribute[0] if is_right else f" {name}={quoted}")
    return ("".join(written), flaws) if flaws else (attributes, 0)
