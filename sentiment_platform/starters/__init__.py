"""What answers before anything was trained: a version of each family that the platform ships."""
