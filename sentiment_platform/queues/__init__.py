"""Who does the steps of a run: the process that runs it, or workers on other machines."""
