"""One small package in the form of each registry: files by HOST/PATH, as the real clients ask for them."""

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping


def tar(files: Mapping[str, bytes], *, packed: bool = True) -> bytes:
    """A tar with the same bytes each time."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, body in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(body), 0o644
            archive.addfile(entry, io.BytesIO(body))
    return gzip.compress(content.getvalue(), mtime=0) if packed else content.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return content.getvalue()


def digest(body: bytes, kind: str = "sha256") -> str:
    """Hexadecimal."""
    return hashlib.new(kind, body).hexdigest()


def cargo() -> dict[str, bytes]:
    """A sparse index and a .crate."""
    manifest = b'[package]\nname = "aycrate"\nversion = "1.0.0"\nedition = "2021"\n'
    crate = tar({"aycrate-1.0.0/Cargo.toml": manifest, "aycrate-1.0.0/src/lib.rs": b"pub fn four() -> u8 { 4 }\n"})
    line = {"name": "aycrate", "vers": "1.0.0", "deps": [], "cksum": digest(crate), "features": {}, "yanked": False}
    return {
        "index.crates.io/config.json": b'{"dl": "https://static.crates.io/crates", "api": "https://crates.io"}',
        "index.crates.io/ay/cr/aycrate": json.dumps(line).encode() + b"\n",
        "static.crates.io/crates/aycrate/1.0.0/download": crate,
    }


def go() -> dict[str, bytes]:
    """What a GOPROXY answers with."""
    place, module = "proxy.golang.org/github.com/ay/four/@v", b"module github.com/ay/four\n\ngo 1.18\n"
    inside = "github.com/ay/four@v1.0.0"
    return {
        f"{place}/list": b"v1.0.0\n",
        f"{place}/v1.0.0.info": b'{"Version":"v1.0.0","Time":"2024-01-01T00:00:00Z"}',
        f"{place}/v1.0.0.mod": module,
        f"{place}/v1.0.0.zip": zipped(
            {f"{inside}/go.mod": module, f"{inside}/a.go": b"package four\n\nconst Four = 4\n"}
        ),
    }


def maven() -> dict[str, bytes]:
    """A parent, a list of versions to import, and a jar."""

    def pom(name: str, packaging: str, rest: str = "") -> bytes:
        return (
            f'<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            f"<groupId>org.ay</groupId><artifactId>{name}</artifactId><version>1.0</version>"
            f"<packaging>{packaging}</packaging>{rest}</project>"
        ).encode()

    files = {
        "parent/1.0/parent-1.0.pom": pom("parent", "pom", "<properties><four>4</four></properties>"),
        "versions/1.0/versions-1.0.pom": pom("versions", "pom"),
        "four/1.0/four-1.0.pom": pom("four", "jar"),
        "four/1.0/four-1.0.jar": zipped({"four.txt": b"4"}),
    }
    all_files = {f"repo.maven.apache.org/maven2/org/ay/{name}": body for name, body in files.items()}
    return all_files | {f"{name}.sha1": digest(body, "sha1").encode() for name, body in all_files.items()}


def bundler() -> dict[str, bytes]:
    """A compact index and a gem."""
    metadata = b"""\
--- !ruby/object:Gem::Specification
name: aygem
version: !ruby/object:Gem::Version
  version: 1.0.0
platform: ruby
authors: [ay]
date: 2024-01-01 00:00:00.000000000 Z
dependencies: []
summary: four
files: [lib/aygem.rb]
require_paths: [lib]
required_ruby_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
required_rubygems_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
rubygems_version: 3.3.0
specification_version: 4
"""
    gem = tar(
        {"metadata.gz": gzip.compress(metadata, mtime=0), "data.tar.gz": tar({"lib/aygem.rb": b"FOUR = 4\n"})},
        packed=False,
    )
    info = f"---\n1.0.0 |checksum:{digest(gem)}\n".encode()
    return {
        "index.rubygems.org/versions": f"created_at: 2024-01-01T00:00:00Z\n---\naygem 1.0.0 {digest(info, 'md5')}\n".encode(),
        "index.rubygems.org/info/aygem": info,
        "rubygems.org/gems/aygem-1.0.0.gem": gem,
    }


def composer() -> dict[str, bytes]:
    """The packages of version 2 of the protocol, and a zip."""
    package = {
        "name": "ay/four",
        "version": "1.0.0",
        "version_normalized": "1.0.0.0",
        "type": "library",
        "dist": {"type": "zip", "url": "https://codeload.github.com/ay/four/legacy.zip/1.0.0"},
    }
    manifest = b'{"name": "ay/four"}'
    return {
        "repo.packagist.org/packages.json": b'{"packages": [], "metadata-url": "/p2/%package%.json"}',
        "repo.packagist.org/p2/ay/four.json": json.dumps({"packages": {"ay/four": [package]}}).encode(),
        "codeload.github.com/ay/four/legacy.zip/1.0.0": zipped({"four/composer.json": manifest, "four/four.php": b"4"}),
    }
