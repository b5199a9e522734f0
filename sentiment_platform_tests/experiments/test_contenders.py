import pytest

from sentiment_platform.experiments.contenders import Contenders

V1, V2, F1 = "v1.0.0-vader", "v1.1.0-vader", "v1.0.0-finbert"


@pytest.mark.parametrize(
    ("newest", "champions", "expected"),
    [
        ({"vader": V2, "finbert": F1}, {"vader": V1, "finbert": F1}, [V1, F1, V2]),
        ({"finbert": F1, "vader": V2}, {"finbert": F1, "vader": V1}, [V1, F1, V2]),
        ({"vader": V1}, {}, [V1]),
        ({}, {}, []),
    ],
)
def test_every_version_that_the_gate_may_weigh_is_named_once_what_runs_and_the_cheapest_first(
    newest: dict[str, str], champions: dict[str, str], expected: list[str]
) -> None:
    contenders = Contenders(newest=newest, champions=champions, default_family=None, by_person=False, revision=0)
    assert contenders.versions() == expected
