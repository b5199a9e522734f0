"""What a text costs is learned from many calls, not from one."""

from serving.work.cost import Cost


def test_one_slow_call_among_quick_ones_moves_little() -> None:
    cost = Cost()
    for length in range(40, 140, 2):
        cost.learn(1, length, 0.03)
    cost.learn(1, 90, 0.4)
    assert cost.of(90) < 0.06
