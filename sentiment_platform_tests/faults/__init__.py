"""What can go wrong around the platform, scripted in one place: `redis`, `postgres`, `registry`, `proxy` (the network), `crashing` (kill -9).

Each file has a table `FAULTS`: name -> how it begins and ends. The tests beside it, and `soak`, choose from these tables by name or by seed.
"""
