"""What a pass prepares before it starts the daemon."""

import dagster as dg

from sentiment_platform.local.ticking import know_every_pool


def test_every_pool_is_known_before_two_runs_can_be_the_first_to_use_it() -> None:
    pools = {"concurrency": {"pools": {"granularity": "op", "default_limit": 1}}}
    with dg.instance_for_test(overrides=pools) as instance:
        assert list(instance.event_log_storage.get_pool_limits()) == []
        for _ in range(2):
            know_every_pool(instance)
            known = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
            assert known == dict.fromkeys(("collection", "features", "prices", "promotion", "sentiment", "training"), 1)
