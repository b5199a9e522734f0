"""Where nothing is deployed yet, the packaged starters are published, and deployed by the bootstrap rule. A second time changes nothing.

The gate's own function makes the proposal, from comparisons that were made with the starters. From then on a starter is a version like
any other: training goes on from it, and the gate weighs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.experiments.comparison import Comparison
from sentiment_platform.experiments.contenders import Contenders
from sentiment_platform.experiments.gate import propose
from sentiment_platform.models.version_figures import origin_figures
from sentiment_platform.models.versions.publishing import find_orphan, register, release
from sentiment_platform.models.versions.working_folder import working_folder
from sentiment_platform.promotion.deciding import running
from sentiment_platform.promotion.mirror import synchronise_mirror
from sentiment_platform.promotion.next_revision import Intent, publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Deployment, Evidence
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.versions import VersionTag
from sentiment_platform.starters.packaged import packaged_comparisons, packaged_folder, packaged_manifests, unpack
from sentiment_platform.statistics.estimate import MACRO_F1
from sentiment_platform.store import leases
from sentiment_platform.store.versions import find_version, latest_version

ACTOR = "starters"
LEASE_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """What a bootstrap came to.

    Attributes:
        running: what is deployed now; None where no starter could be published.
        deployed_now: whether this bootstrap deployed it.
        reason: in words.
        left_out: family -> why it has no starter here.
    """

    running: Deployment | None
    deployed_now: bool
    reason: str
    left_out: Mapping[str, str]


def bootstrap(engine: Engine, access: RegistryAccess, *, run_id: str, now: Clock, package: Path | None = None) -> Bootstrap:
    """Publish and deploy the starters, unless something is deployed.

    Args:
        run_id: who holds the leases, and who is named as the run.
        package: folder of the starters; None: those that the platform ships.

    Raises:
        ConflictError: somebody else trains or deploys at this moment.
        Refused: a packaged file is not what its manifest says.
    """
    with access.writer(now) as registry:
        synchronise_mirror(engine, registry)
    if (current := running(engine)) is not None:
        return Bootstrap(running=current, deployed_now=False, reason=f"{current.tag} is deployed already.", left_out={})
    package = package or packaged_folder()
    versions: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for family, manifest in packaged_manifests(package).items():
        try:
            versions[family] = _published(engine, access, family, manifest, package, run_id, now)
        except (Refused, ConflictError):
            raise
        except PermanentError as error:
            left_out[family] = str(error)
    if not versions:
        reason = " ".join(left_out.values()) or "The platform ships no starter."
        return Bootstrap(running=None, deployed_now=False, reason=reason, left_out=left_out)
    intent = intent_of_starters(versions, packaged_comparisons(package), run_id)

    def unless_deployed(engine: Engine) -> Intent:
        if (since := running(engine)) is not None:
            raise ConflictError(f"{since.tag} was deployed meanwhile.", remedy="Nothing is left to do.")
        return intent

    published = publish(engine, access, unless_deployed, holder=run_id, now=now)
    return Bootstrap(running=published.document, deployed_now=True, reason=intent.reason, left_out=left_out)


def intent_of_starters(versions: Mapping[str, str], comparisons: Sequence[Comparison], run_id: str) -> Intent:
    """The first deployment: family -> starter in `versions`, and as default the family that the comparisons show to be best."""
    compared = [
        msgspec.structs.replace(pair, a=versions[a], b=versions[b])
        for pair in comparisons
        if (a := _family(pair.a)) in versions and (b := _family(pair.b)) in versions
    ]
    contenders = Contenders(newest=dict(versions), champions={}, default_family=None, by_person=False, revision=0)
    proposal = propose(contenders, compared)
    figures = {
        f"{pair.b} against {pair.a}": {MACRO_F1: pair.macro_f1.difference.value, "p": pair.mcnemar.p_value, "n": pair.n}
        for pair in compared
    }
    words = " ".join(pair.words() for pair in compared) or "One starter alone: there is nothing to beat."
    return Intent(
        champions=proposal.champions,
        default_family=proposal.default_family,
        rule=proposal.rule,
        actor=ACTOR,
        reason=f"Nothing was deployed, so the platform's starters answer: {proposal.reason}",
        evidence=Evidence(("starters",), (run_id,), figures, words),
    )


def _published(
    engine: Engine, access: RegistryAccess, family: str, packaged: Manifest, package: Path, run_id: str, now: Clock
) -> str:
    """The version that the starter of `family` is registered as, published now where it was not.

    Raises:
        PermanentError: the family cannot start with it here.
    """
    options_digest = origin_figures(packaged).options_digest or ""
    with engine.connect() as connection:
        known = find_version(connection, family, packaged.training_set, options_digest)
        other = latest_version(connection, family)
    if known is not None:
        return known.version
    if other is not None:
        raise PermanentError(
            f"{other.version} is registered already, and not deployed.", remedy="Deploy it: `sentiment-platform models promote`."
        )
    lease = leases.acquire(engine, f"train:{family}", run_id, LEASE_S)
    with working_folder(engine, access.settings.state_dir, family, lease) as work:
        manifest = find_orphan(engine, access, family, packaged.training_set, options_digest, now)
        if manifest is None:
            directory = work / "starter"
            directory.mkdir()
            unpack(package, family, packaged, directory)
            manifest = release(engine, access, lease, directory, packaged, "major", now)
    register(engine, lease, manifest, options_digest, run_id)
    return manifest.version


def _family(version: str) -> str:
    return VersionTag.parse(version).family
