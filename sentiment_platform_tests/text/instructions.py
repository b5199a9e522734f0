"""How much work a scorer does, counted in instructions: the same on every machine."""

import sys
from types import FrameType
from typing import Any


def executed_instructions(score: Any, text: str) -> int:
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        score(text)
    finally:
        sys.settrace(previous)
    return count
