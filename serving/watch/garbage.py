"""Python's garbage collector, kept from looking at what stays: at all of it, once in thousands of answers, it stopped every answer for 0.1 s."""

import asyncio
import gc
from collections.abc import Callable

FIRST_LOOK_S = 1.0
AT_REST_S = 5.0
"""After the first version is live; what is imported late is there by then."""
NEW_OBJECTS = 10_000
"""So many more than were freed, and the collector looks at the new ones: a request under load makes hundreds that are freed with it."""


async def set_aside(is_live: Callable[[], bool]) -> None:
    """Once something `is_live`, what is held then is never looked at again. What comes later is collected as ever."""
    gc.set_threshold(NEW_OBJECTS, 10, 10)
    while not is_live():
        await asyncio.sleep(FIRST_LOOK_S)
    await asyncio.sleep(AT_REST_S)
    gc.freeze()
