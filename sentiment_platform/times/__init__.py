"""Times and days as the world writes them: the one reader, and what this platform wrote itself. Nothing else reads a date."""
