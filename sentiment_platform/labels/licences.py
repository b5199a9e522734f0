"""What the licence of a label set allows, as far as its name says; a hint to people, and no legal advice."""

import re

_NONCOMMERCIAL = re.compile(r"(?<![A-Za-z])NC(?![A-Za-z])|non-?\s?commercial|research (use )?only", re.IGNORECASE)
_COMMERCIAL = re.compile(
    r"(MIT|Apache-2\.0|BSD-[23]-Clause|CC0-1\.0|CC-BY(-SA)?-[1-4]\.0|PDDL-1\.0|ODC-By-1\.0|Unlicense)", re.IGNORECASE
)


def commercial_use(licence: str) -> bool | None:
    """Whether the licence (an SPDX identifier, or words) allows commercial use; None where that cannot be told from its name."""
    if _NONCOMMERCIAL.search(licence):
        return False
    return True if _COMMERCIAL.fullmatch(licence.strip()) else None


def licence_note(name: str, licence: str, allowed: bool | None) -> str:
    """One line for a model's manifest or card."""
    words = {
        True: "commercial use allowed",
        False: "NON-COMMERCIAL USE ONLY",
        None: "whether commercial use is allowed is not known",
    }
    return f"label set {name[:80]}: {licence[:120]} ({words[allowed]})"
