"""From a text to an answer: input, features, router, cache, comparison."""
