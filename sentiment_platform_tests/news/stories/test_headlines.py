import pytest

from sentiment_platform.news.stories.headlines import contradict, read_headline, similarity, stem


def test_amounts_quarters_and_endings_are_read_alike() -> None:
    one = read_headline("Musk's $1 trillion package approved; third-quarter profits rising 5%")
    other = read_headline("Musk $1trn package approves Q3 profit rises 5 %")
    assert one.words == other.words
    assert one.numbers == {"1000000000000", "q3", "5"}


def test_the_outlet_behind_an_aggregators_headline_is_no_part_of_it() -> None:
    assert read_headline("Profit rises - Daily Ledger", "Daily Ledger") == read_headline("Profit rises")
    assert read_headline("Profit rises - Daily Ledger").key != read_headline("Profit rises").key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Q1 profit rises 5% at Example Corp", "Q2 profit rises 6% at Example Corp"),
        ("Example Corp to cut 14,000 jobs in Europe", "Example Corp to cut 30,000 jobs in Europe"),
        ("How much traders expect Apple stock to move this week", "How much traders expect Amazon stock to move this week"),
        ("Why Apple Stock Is Up Today", "Why Amazon Stock Is Up Today"),
        ("Three tech stocks to buy in October", "Three tech stocks to buy in November"),
        ("Shareholders approve the merger of both banks", "Shareholders reject the merger of both banks"),
        ("Shareholders to vote on merger of both banks", "Shareholders approve merger of both banks"),
        ("Example Corp denies merger talks with rival", "Example Corp in merger talks with rival"),
    ],
)
def test_alike_headlines_of_different_events_contradict_each_other(one: str, other: str) -> None:
    first, second = read_headline(one), read_headline(other)
    assert similarity(first, second) >= 0.5
    assert contradict(first, second, same_companies=False)
    assert contradict(second, first, same_companies=False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Example Corp signs $38 billion cloud deal", "Example Corp signs $38bn cloud computing deal: report"),
        (
            "Example reports revenue growth after two down quarters",
            "Example reports revenue growth of 12% after two down quarters",
        ),
        ("Example Corp and Sample ink cloud deal", "Example Corp and Sample announce cloud deal"),
    ],
)
def test_edited_copies_do_not(one: str, other: str) -> None:
    first, second = read_headline(one), read_headline(other)
    assert similarity(first, second) >= 0.5
    assert not contradict(first, second, same_companies=False)


def test_names_do_not_count_where_the_companies_are_known_to_be_the_same() -> None:
    one, other = read_headline("Example Board Backs Deal With Sample"), read_headline("Example Chair Backs Deal With Sample")
    assert contradict(one, other, same_companies=False)
    assert not contradict(one, other, same_companies=True)


def test_headlines_without_words_are_not_alike() -> None:
    assert similarity(read_headline("The"), read_headline("A")) == 0.0


@pytest.mark.parametrize(
    ("word", "root"), [("rises", "ris"), ("rising", "ris"), ("loss", "loss"), ("tesla's", "tesla"), ("use", "use")]
)
def test_stems(word: str, root: str) -> None:
    assert stem(word) == root
