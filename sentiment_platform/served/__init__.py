"""What was answered and what became of it: the champion in force, and how right the answers were."""
