"""The browser, for the page of the API."""

from sentiment_platform_tests.browser.conftest import page

__all__ = ["page"]
