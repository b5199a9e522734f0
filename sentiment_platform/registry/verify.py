"""Is this what was signed? The checks between bytes from anywhere and anything that loads them.

Belongs here: manifests and deployments against keys and digests, a folder against its manifest. Fetching is `reader.py`'s.
A cached folder passes through the same checks as a fresh download.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.documents import MAX_DOCUMENT_BYTES, decode, digest
from sentiment_platform.registry.formats import require_format
from sentiment_platform.registry.manifest import MANIFEST, MANIFEST_SIGNATURE, FileEntry, Manifest, require_safe_files
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.signing import MAX_SIGNATURE_BYTES, PublicKeys

_AGAIN = "Publish the version again; a cached copy may be deleted, it is fetched anew."


def verify_manifest(data: bytes, signature: bytes, keys: PublicKeys, *, version: str, manifest_digest: str) -> Manifest:
    """The manifest in `data`, if it is exactly the one expected and a trusted model key signed it.

    Raises:
        Refused: (digest, signature, format, wrong_model, unsafe_name, size); SignatureRefused.
    """
    actual_digest = digest(data)
    if actual_digest != manifest_digest:
        raise Refused(
            f"The manifest of {version} has digest {actual_digest[:12]}, expected {manifest_digest[:12]}.",
            reason="digest",
            remedy=_AGAIN,
        )
    keys.verify("model", data, signature)
    manifest = decode(data, Manifest)
    if manifest.version != version:
        raise Refused(f"A manifest of {manifest.version} stands under {version}.", reason="wrong_model", remedy=_AGAIN)
    require_safe_files(manifest)
    return manifest


def verify_deployment(data: bytes, signature: bytes, keys: PublicKeys, *, revision: int) -> Deployment:
    """The deployment in `data`, if a trusted operator key signed it and it is of `revision`.

    Raises:
        Refused: (signature, format, older_revision, wrong_model).
    """
    keys.verify("operator", data, signature)
    deployment = decode(data, Deployment)
    if deployment.revision != revision:
        raise Refused(
            f"Revision {deployment.revision} stands under the tag of revision {revision}.",
            reason="older_revision" if deployment.revision < revision else "wrong_model",
            remedy="Somebody replaced the document of a published release: find out who, then publish a new revision.",
        )
    return deployment


def verify_directory(directory: Path, keys: PublicKeys, *, version: str, manifest_digest: str) -> Manifest:
    """Check a model folder completely: manifest, signature, exact set of files, sizes, sha256 of each, format of each.

    Raises:
        Refused: with the reason; nothing of the folder may be loaded then.
    """
    if directory.is_symlink() or not directory.is_dir():
        raise Refused(f"{directory.name} is no folder.", reason="missing_file", remedy=_AGAIN)
    manifest = verify_manifest(
        read_small(directory / MANIFEST, MAX_DOCUMENT_BYTES),
        read_small(directory / MANIFEST_SIGNATURE, MAX_SIGNATURE_BYTES),
        keys,
        version=version,
        manifest_digest=manifest_digest,
    )
    require_exact_files({path.name for path in directory.iterdir()} - {MANIFEST, MANIFEST_SIGNATURE}, manifest.files, version)
    require_contents(directory, manifest.files)
    return manifest


def require_exact_files(names: set[str], listed: Mapping[str, FileEntry], version: str) -> None:
    """Refuse (missing_file, extra_file) unless `names` is the set of files that the manifest of `version` lists."""
    for problem, odd in (("missing", listed.keys() - names), ("extra", names - listed.keys())):
        if odd:
            raise Refused(
                f"{version} has {problem} files: {', '.join(sorted(odd))[:200]}.",
                reason="missing_file" if problem == "missing" else "extra_file",
                remedy=_AGAIN,
            )


def require_contents(directory: Path, listed: Mapping[str, FileEntry]) -> None:
    """Refuse (size, digest, format, missing_file) unless every listed file is there, regular, and as the manifest says."""
    for name, entry in listed.items():
        path = directory / name
        sha256, size = hashlib.sha256(), 0
        with os.fdopen(_open_regular(path), "rb") as file:
            while chunk := file.read(1024 * 1024):
                sha256.update(chunk)
                size += len(chunk)
        if size != entry.size:
            raise Refused(f"{name} has {size} bytes, the manifest says {entry.size}.", reason="size", remedy=_AGAIN)
        if sha256.hexdigest() != entry.sha256:
            raise Refused(f"{name} has another sha256 than the manifest says.", reason="digest", remedy=_AGAIN)
        require_format(path)


def read_small(path: Path, max_bytes: int) -> bytes:
    """The bytes of a regular file, no symbolic link; Refused (missing_file, size) otherwise."""
    with os.fdopen(_open_regular(path), "rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise Refused(f"{path.name} is larger than {max_bytes} bytes.", reason="size", remedy=_AGAIN)
    return data


def _open_regular(path: Path) -> int:
    try:
        # O_NONBLOCK: a named pipe in place of a file must not hold the reader.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(f"{path.name} cannot be read: {error.strerror}.", reason="missing_file", remedy=_AGAIN) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused(f"{path.name} is no regular file.", reason="missing_file", remedy=_AGAIN)
    return descriptor
