"""The fixtures of serving: faults strike what a running process uses."""

from sentiment_platform_tests.serving.conftest import module_settings, publisher, start_serving

__all__ = ["module_settings", "publisher", "start_serving"]
