"""What a text costs is learned again soon after a bad moment."""

from serving.work.cost import Cost


def test_a_model_learned_in_a_bad_moment_is_known_to_be_quick_after_a_few_calls() -> None:
    cost = Cost()
    for length in range(40, 140, 2):
        cost.learn(1, length, 0.4)
    assert cost.of(90) > 0.35
    for length in (60, 90, 120):
        cost.learn(1, length, 0.03)
    assert cost.of(90) < 0.15


def test_one_slow_call_among_quick_ones_moves_little() -> None:
    cost = Cost()
    for length in range(40, 140, 2):
        cost.learn(1, length, 0.03)
    cost.learn(1, 90, 0.4)
    assert cost.of(90) < 0.06
