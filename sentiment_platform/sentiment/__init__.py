"""The sentiment of the news: every article scored by the versions that are deployed, and by any other on request."""
