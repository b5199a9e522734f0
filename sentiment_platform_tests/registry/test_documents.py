"""Claims about the bytes of manifests and deployments."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

import msgspec
import pytest

from sentiment_platform.registry.deployment import Arm, Champion, Deployment, Evidence, Experiment, Previous, Rule, Shadow
from sentiment_platform.registry.documents import MAX_DOCUMENT_BYTES, canonical_json, decode, digest
from sentiment_platform.registry.manifest import FileEntry, Manifest, require_safe_files
from sentiment_platform.registry.refusal import Refused
from sentiment_platform_tests.registry.examples import deployment_of, manifest_of, new_keys, with_more


def test_a_document_round_trips_and_equal_content_has_equal_bytes() -> None:
    for document in (manifest_of(), deployment_of()):
        data = canonical_json(document)
        assert decode(data, type(document)) == document
        assert canonical_json(decode(data, type(document))) == data
        assert digest(document) == digest(data)


def test_the_order_in_which_keys_were_added_and_int_or_float_do_not_change_the_bytes() -> None:
    manifest = manifest_of()
    turned = msgspec.structs.replace(
        manifest,
        files=dict(reversed(list(manifest.files.items()))),
        golden=(msgspec.structs.replace(manifest.golden[0], probabilities=(0, 0, 1)),),
    )
    same = msgspec.structs.replace(manifest, golden=(msgspec.structs.replace(manifest.golden[0], probabilities=(0.0, 0.0, 1.0)),))
    assert canonical_json(turned) == canonical_json(same)


def test_every_flipped_byte_of_a_signed_manifest_is_refused() -> None:
    keys = new_keys()
    data = canonical_json(manifest_of())
    signature, public = keys.sign("model", data), keys.public()
    public.verify("model", data, signature)
    for position in range(len(data)):
        tampered = bytearray(data)
        tampered[position] ^= 1 << (position % 8)
        with pytest.raises(Refused):
            public.verify("model", bytes(tampered), signature)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b'"family"', b'"familie"'),
        lambda data: data[:-1] + b',"version":"v1.0.0-vader"}',
        lambda data: data.replace(b",", b", ", 1),
        lambda data: data.replace(b'"negative","neutral"', b'"neutral","negative"'),
        lambda data: data.replace(b'"schema_version":1', b'"schema_version":2'),
        lambda data: data.replace(b'"v1.0.0-vader"', b'"v1.0.0-finbert"'),
        lambda data: data.replace(b'Z"', b'+00:00"'),
        lambda data: data[:-5],
        lambda data: b"<!DOCTYPE html>" + data,
        lambda data: b'{"figures":' + b"[" * 100_000,
    ],
    ids=["missing", "twice", "spaces", "labels", "schema", "family", "time", "cut", "page", "deep"],
)
def test_any_other_spelling_of_a_manifest_is_refused(change) -> None:
    data = canonical_json(manifest_of())
    assert change(data) != data
    with pytest.raises(Refused) as refused:
        decode(change(data), Manifest)
    assert refused.value.reason == "format"


@pytest.mark.parametrize("document", [manifest_of(), deployment_of()], ids=["manifest", "deployment"])
def test_fields_of_a_newer_writer_are_no_reason_to_refuse_and_belong_to_the_digest(document: Manifest | Deployment) -> None:
    data = with_more(document)
    read = decode(data, type(document))
    assert read == document
    assert canonical_json(read) == data
    assert digest(read) == digest(data) != digest(document)
    for other in (data.replace(b",", b", ", 1), data.replace(b'"share":0.1', b'"share":0.10')):
        with pytest.raises(Refused, match="not in canonical form"):
            decode(other, type(document))


def test_a_changed_copy_of_what_was_read_is_a_document_of_its_own() -> None:
    read = decode(with_more(manifest_of()), Manifest)
    assert canonical_json(msgspec.structs.replace(read, git_sha="other")) == canonical_json(
        msgspec.structs.replace(manifest_of(), git_sha="other")
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), "\ud800", {1, 2j}])
def test_figures_that_json_cannot_carry_are_refused_when_writing(value: object) -> None:
    with pytest.raises(Refused, match="cannot be written"):
        canonical_json(msgspec.structs.replace(manifest_of(), figures={"x": value}))


def test_a_document_over_the_cap_is_refused_both_ways() -> None:
    with pytest.raises(Refused) as written:
        canonical_json(msgspec.structs.replace(manifest_of(), figures={"x": "y" * MAX_DOCUMENT_BYTES}))
    with pytest.raises(Refused) as read:
        decode(b" " * (MAX_DOCUMENT_BYTES + 1), Manifest)
    assert written.value.reason == read.value.reason == "size"


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))])
def test_a_time_that_is_not_utc_is_refused(moment: datetime) -> None:
    with pytest.raises(ValueError, match="not in UTC"):
        msgspec.structs.replace(manifest_of(), created_at=moment)
    assert msgspec.structs.replace(manifest_of(), created_at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "name",
    [
        "../model.json", "a/b.json", "a\\b.json", ".hidden.json", "model.pkl", "model", "model.json.", "..json", "a..json",
        "mödel.json", "model.json\n", "manifest.json", "Manifest.JSON", "deployment.json", "c:model.json", "a" * 120 + ".json", "",
        "model\x00.json", "manifest.json.sig",
    ],
)  # fmt: skip
def test_an_unsafe_file_name_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        require_safe_files(msgspec.structs.replace(manifest_of(), files={name: FileEntry("ab" * 32, 5)}))
    assert refused.value.reason == "unsafe_name"


def test_plain_file_names_pass_and_a_declared_size_over_the_cap_does_not() -> None:
    names = ("model.json", "model.int8.onnx", "tokenizer_config.json", "model-00001.safetensors", "vocab.txt")
    require_safe_files(msgspec.structs.replace(manifest_of(), files=dict.fromkeys(names, FileEntry("ab" * 32, 5))))
    with pytest.raises(Refused, match="allowed"):
        require_safe_files(msgspec.structs.replace(manifest_of(), files={"model.json": FileEntry("ab" * 32, 2**40)}))


def test_names_that_differ_in_case_only_are_refused() -> None:
    entry = FileEntry("ab" * 32, 5)
    with pytest.raises(ValueError, match="case"):
        msgspec.structs.replace(manifest_of(), files={"a.json": entry, "A.json": entry})


def test_a_deployment_must_be_consistent_in_itself() -> None:
    first = deployment_of()
    second = deployment_of(previous=first)
    change = msgspec.structs.replace
    other = Champion("v1.0.0-vader", "cd" * 32)
    arm = Arm("v1.1.0-vader", "ab" * 32, 0.5)
    with pytest.raises(ValueError, match="must follow"):
        change(first, previous=second.previous)
    with pytest.raises(ValueError, match="must follow"):
        change(second, previous=second.as_previous())
    # Numbers may be left out: the tag of a deleted release is never used again.
    assert change(second, revision=7).previous == first.as_previous()
    with pytest.raises(ValueError, match="no champion"):
        change(first, default_family="finbert")
    with pytest.raises(ValueError, match="cannot be the champion"):
        change(first, champions={**first.champions, "finbert": other})
    with pytest.raises(ValueError, match="add up"):
        Experiment("e", 1, {"a": arm, "b": Arm("v1.2.0-vader", "ab" * 32, 0.4)})
    with pytest.raises(ValueError, match="two arms"):
        Experiment("e", 1, {"a": Arm("v1.1.0-vader", "ab" * 32, 1.0)})
    with pytest.raises(ValueError, match="two manifests"):
        change(first, experiment=Experiment("e", 1, {"a": arm, "b": Arm("v1.0.0-vader", "ab" * 32, 0.5)}))


def test_a_deployment_names_its_tag_its_models_and_its_predecessor() -> None:
    first = deployment_of(manifest_of(), manifest_of("v2.0.1-finbert"))
    champion = first.champions["vader"]
    arms = {"a": Arm(champion.version, champion.manifest_digest, 0.9), "b": Arm("v1.1.0-vader", "ab" * 32, 0.1)}
    second = msgspec.structs.replace(deployment_of(manifest_of(), previous=first), experiment=Experiment("e", 1, arms))
    assert str(second.tag) == "deploy-000002"
    assert list(first.models()) == ["v1.0.0-vader", "v2.0.1-finbert"]
    assert list(second.models()) == ["v1.0.0-vader", "v1.1.0-vader"]
    assert second.previous is not None
    assert second.previous.digest == digest(canonical_json(first))
    assert decode(canonical_json(second), Deployment) == second


def in_shadow(**changes: object) -> Shadow:
    plan = {
        "name": "trial", "phase": 1, "version": "v1.1.0-vader", "manifest_digest": "ab" * 32, "beside": "v1.0.0-vader", "share": 0.1,
        "daily_cap": 500,
    }  # fmt: skip
    return msgspec.convert(plan | changes, Shadow)


def test_a_deployment_without_a_shadow_has_the_bytes_that_it_had_before_there_were_any() -> None:
    assert b"shadow" not in canonical_json(deployment_of())


def test_a_version_in_shadow_is_named_and_is_none_that_may_be_served() -> None:
    document = msgspec.structs.replace(deployment_of(), shadow=in_shadow())
    assert list(document.models()) == ["v1.0.0-vader"]
    assert list(document.named_models()) == ["v1.0.0-vader", "v1.1.0-vader"]
    assert decode(canonical_json(document), Deployment) == document


class DeploymentBeforeShadows(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The document as readers of the release before know it."""

    revision: int
    champions: dict[str, Champion]
    default_family: str
    experiment: Experiment | None
    evidence: Evidence
    rule: Rule
    actor: str
    reason: str
    created_at: datetime
    previous: Previous | None
    schema_version: Literal[1] = 1


def test_a_reader_that_knows_no_shadow_verifies_the_document_and_answers_with_the_champions() -> None:
    keys = new_keys()
    data = canonical_json(msgspec.structs.replace(deployment_of(), shadow=in_shadow()))
    keys.public().verify("operator", data, keys.sign("operator", data))
    read = decode(data, DeploymentBeforeShadows)
    assert list(read.champions) == ["vader"]
    assert read.experiment is None
    assert canonical_json(read) == data
    with pytest.raises(Refused) as refused:
        decode(data.replace(b'"schema_version":1', b'"schema_version":2'), DeploymentBeforeShadows)
    assert refused.value.reason == "format"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"beside": "v9.0.0-vader"}, "which is no champion"),
        ({"beside": "v1.1.0-vader"}, "its own shadow"),
        ({"share": 0.0}, "share"),
        ({"share": 1.1}, "share"),
        ({"daily_cap": 0}, "daily_cap"),
        ({"phase": 0}, "phase"),
        ({"version": "v1.0.0-vader", "beside": "v1.0.0-vader"}, "its own shadow"),
    ],
)
def test_a_shadow_that_cannot_be_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        msgspec.structs.replace(deployment_of(), shadow=in_shadow(**changes))


def test_a_version_is_in_shadow_or_requests_are_split_and_never_both() -> None:
    arms = {"control": Arm("v1.0.0-vader", "ab" * 32, 0.9), "challenger": Arm("v1.1.0-vader", "ab" * 32, 0.1)}
    with pytest.raises(ValueError, match="before requests are split"):
        msgspec.structs.replace(deployment_of(), shadow=in_shadow(), experiment=Experiment("trial", 2, arms))
