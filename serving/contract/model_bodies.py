"""Bodies of the routes under /models: what is live, what was tried, and a person's change of it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sentiment_platform.registry.versions import FamilyName, VersionName
from serving.contract.values import WORDS, Moment

Family = Annotated[FamilyName, Meta(description="A model family; GET /models/status names those that are deployed.")]
Version = Annotated[VersionName, Meta(description="The tag of a release: `v`, three numbers, `-`, the family.")]
Reason = Annotated[
    str, Meta(min_length=3, max_length=1000, pattern=WORDS, description="Why, in words and without NUL; kept in the audit trail.")
]
SeenRevision = Annotated[
    int,
    Meta(
        ge=1, le=999_999, description="Refuse (409) unless this deployment is in force: the one that was seen, which this leaves."
    ),
]
SwapOutcome = Literal["swapped", "refused", "failed"]


MakeDefault = Annotated[bool, Meta(description="Let this family answer POST /predict too; otherwise the default family stays.")]


class SelectRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Let `version` be the champion of `family` from now on, and with `make_default` that family answer POST /predict."""

    family: Family
    version: Version
    reason: Reason
    make_default: MakeDefault = False
    expected_version: Annotated[Version, Meta(description="Refuse (409) unless this one is live now.")] | None = None
    expected_revision: SeenRevision | None = None
    dry_run: Annotated[bool, Meta(description="Fetch, verify and try the version, but change nothing.")] = False


class RollbackRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Back to the versions of the deployment before the live one. A deployment is left by one rollback; a second one gets 409."""

    reason: Reason
    dry_run: Annotated[bool, Meta(description="Fetch, verify and try its versions, but change nothing.")] = False
    expected_revision: SeenRevision | None = None


class PromoteRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ask for a first deployment of `version`, on your word instead of the gate's: as champion of its family."""

    version: Version
    reason: Reason
    make_default: MakeDefault = False
    expected_version: Annotated[Version, Meta(description="Refuse (409) unless this one of its family is live now.")] | None = (
        None
    )
    expected_revision: SeenRevision | None = None
    dry_run: Annotated[bool, Meta(description="Fetch, verify and try the version, but ask for nothing.")] = False


class ExchangedPair(Struct, frozen=True, kw_only=True):
    """What the newest comparison says of `challenger` in the place of `champion`; `verdict` null: not compared yet, `words` says why.

    `speaks_against`: it is evidence that the challenger is worse, or breaks a guardrail. A person may choose it all the same; the signed
    deployment keeps the comparison.
    """

    champion: str
    challenger: str
    verdict: str | None
    speaks_against: bool
    words: str


class SelectionAnswer(Struct, frozen=True, kw_only=True):
    """What runs now (or would run, `dry_run`; of a promotion: will run); the graph publishes it as the next revision.

    `default_family_before` and `before` are what answered until now. `revision` is the deployment that it leaves;
    `recorded`: the database has it; of a rollback that was done while the database was away, this process's journal has it until then; `evidence` says of each exchanged pair what the comparison on the newest holdout says.
    """

    request_id: str | None
    default_family_before: str
    default_family: str
    before: dict[str, str]
    after: dict[str, str]
    dry_run: bool
    recorded: bool
    revision: int
    evidence: list[ExchangedPair]


class SelectionInForce(Struct, frozen=True, kw_only=True):
    """A person's choice that answers here and that no deployment has published yet. `recorded`: the database has it."""

    actor: str
    reason: str
    requested_at: Moment
    recorded: bool


class OvertakenSelection(Struct, frozen=True, kw_only=True):
    """A person's choice that answered here until deployment `revision`, which was decided later, or until the graph refused it."""

    version: str
    actor: str
    reason: str
    requested_at: Moment
    overtaken_at: Moment
    revision: int


class CanaryStatus(Struct, frozen=True, kw_only=True):
    """The version is new here: it answers this `share` of the units for now, and the version `before` the rest.

    It answers all at `ends_at`, or with the first look of the watch after the swap that finds nothing: after `texts_left` different texts
    more, in this process. `texts_left` is null where the watch does not look at it.
    """

    before: str
    share: float
    ends_at: Moment
    texts_left: int | None


class FamilyStatus(Struct, frozen=True, kw_only=True):
    """What a family answers with: `since` when without a break in this process, and by whose `selection` (null: by the deployment)."""

    version: str
    manifest_digest: str
    base_model: str
    feature_schema: str
    since: Moment
    selection: SelectionInForce | None
    canary: CanaryStatus | None
    queue_depth: int
    health: Literal["ok", "saturated"]


class BesideStatus(Struct, frozen=True, kw_only=True):
    """A version that answers beside the champions; `role` is the name of its arm, or `shadow`. `absent` says why it is not loaded here:
    the champion answers its share meanwhile."""

    role: str
    version: str
    manifest_digest: str
    share: float
    loaded: bool
    absent: str | None


class ExperimentStatus(Struct, frozen=True, kw_only=True):
    """The phase of the experiment that runs here: in a `split` arms share the units, in `shadow` nobody is served the version tried."""

    name: str
    phase: int
    mode: Literal["split", "shadow"]
    versions: list[BesideStatus]


class GapStatus(Struct, frozen=True, kw_only=True):
    """A version that was unloaded so that its successor has room; `message` says who answers until that is loaded."""

    family: str
    version: str
    since: Moment
    message: str


class Swap(Struct, frozen=True, kw_only=True):
    """One attempt to bring something live; `reason` is a closed code, `message` says what to do."""

    at: Moment
    outcome: SwapOutcome
    revision: int | None
    versions: tuple[str, ...] = ()
    reason: str | None = None
    message: str | None = None
    duration_s: float = 0.0


class RegistryStatus(Struct, frozen=True, kw_only=True):
    """Whether the registry answered the last poll."""

    reachable: bool | None
    polled_at: Moment | None
    message: str | None


class LiveDeployment(Struct, frozen=True, kw_only=True):
    """The signed deployment document that is in force."""

    revision: int
    tag: str
    default_family: str
    rule: str
    reason: str
    created_at: Moment


class RollbackAhead(Struct, frozen=True, kw_only=True):
    """The deployment that a rollback goes back to. `held`: its versions are in memory, so that nothing outside is needed for it."""

    revision: int
    held: bool


class ModelsStatus(Struct, frozen=True, kw_only=True):
    """What is live, since when, and what was tried last; `candidate` is what was offered and is not live.

    `overtaken`: the last ten choices of people that answered here and do no longer, although no deployment has what they asked for. `rollback`: null where
    none is possible: what answers is what a rollback brought, or there is nothing to go back to, as far as this process knows without
    asking the registry.
    """

    deployment: LiveDeployment | None
    default_family: str | None
    families: dict[str, FamilyStatus | None]
    selections: list[str]
    overtaken: list[OvertakenSelection]
    rollback: RollbackAhead | None
    last_swap: Swap | None
    candidate: Swap | None
    registry: RegistryStatus
    experiment: ExperimentStatus | None
    gap: GapStatus | None
