"""What a verdict allows next: into shadow, from shadow to a split, to promotion. Pure; a person takes each step by a command.

Nothing moves by itself: an online phase is started on traffic that somebody answers for, and whoever started it ends it.
"""

from collections.abc import Sequence

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparison import Comparison, find
from sentiment_platform.experiments.online_evaluation import OnlineEvaluation

OVERRULE = "Overrule it with --against-the-evidence; the deployment records both."


def objection_to_shadow(comparisons: Sequence[Comparison], champion: str, challenger: str) -> str | None:
    """Why the challenger should not even answer in shadow: offline it was worse, or a guardrail blocks it. None where it may.

    Equivalent, undecided and never compared versions may: that is what the shadow is for.
    """
    try:
        verdict, comparison = find(comparisons, champion, challenger)
    except PermanentError:
        return None
    if verdict == "worse" or verdict.startswith("blocked:"):
        return f"On the holdout {challenger} is {verdict}: {comparison.words()}"
    return None


def objection_to_split(in_shadow: OnlineEvaluation | None, champion: str, challenger: str) -> str | None:
    """Why the challenger should not answer users yet: only its shadow's verdict `better` speaks for it. None where it may."""
    if in_shadow is None or in_shadow.champion != champion:
        start = f'`sentiment-platform experiments start {challenger} --beside {champion} --reason "..."`'
        return f"{challenger} was not evaluated in shadow of {champion}. Start there: {start}."
    if in_shadow.verdict != "better":
        return f"In shadow the verdict on {challenger} is {in_shadow.verdict}. {in_shadow.words()}"
    return None


def next_step(evaluation: OnlineEvaluation, against: str | None = None) -> str:
    """What a person may do now, as a sentence with its command. `against`: what the holdout says against the challenger."""
    version, verdict = evaluation.challenger, evaluation.verdict
    stop = '`sentiment-platform experiments stop --reason "..."`'
    promote = f'`sentiment-platform models promote {version} --reason "..."`'
    if verdict == "worse":
        return f"Stop it: {stop}."
    if verdict == "blocked:shares_of_arms":
        return f"Believe no figure of this phase; find out who assigns otherwise, and stop it: {stop}."
    if verdict.startswith("blocked:"):
        return f"Stop it and mend what blocks: {stop}."
    if against and (evaluation.mode == "split" or verdict == "better"):
        so_far = "Traffic says nothing against it so far" if evaluation.mode == "split" else "In shadow it is better"
        return f"{against} {so_far}; weigh the two before you give it more, or stop it: {stop}."
    if evaluation.mode == "split":
        return f"Nothing speaks against it so far. Raise its share, such as to a half: {_split_to(0.5, evaluation)}; or promote it: {promote}."
    if verdict == "better":
        return f"Promote it: {promote}; or let it answer a tenth first: {_split_to(0.1, evaluation)}."
    return "Wait for requests and labels; looking again costs nothing."


def _split_to(share: float, evaluation: OnlineEvaluation) -> str:
    """The command that goes on with this experiment; one under another name would be a new one."""
    version, name = evaluation.challenger, evaluation.experiment
    named = "" if name == version else f" --name {name}"
    return (
        f'`sentiment-platform experiments start {version} --split {share}{named} --beside {evaluation.champion} --reason "..."`'
    )
