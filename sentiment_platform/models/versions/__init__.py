"""From a training set to a published version, and what is known of versions afterwards."""
