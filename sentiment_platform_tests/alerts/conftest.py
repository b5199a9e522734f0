"""The resource of the tests of monitoring: alerts look at what monitoring stored."""

from sentiment_platform_tests.monitoring.conftest import platform

__all__ = ["platform"]
