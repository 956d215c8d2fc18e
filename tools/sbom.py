# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The list of what is in a wheel, which the wheel carries itself (PEP 770: .dist-info/sboms).

CycloneDX 1.6. It holds no date and no random number: the same wheel has the same list.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import uuid
from collections.abc import Mapping
from typing import Any

_SPACE = uuid.UUID("6f3c1a52-5f0e-5c0b-9a53-0d8f3b7f1c11")


def sbom(name: str, version: str, tag: str, objects: Mapping[str, bytes]) -> bytes:
    """Return the list for one wheel.

    objects: its shared objects, by their path in the wheel.
    """
    whole = f"pkg:pypi/{name}@{version}"
    headers = importlib.metadata.version("pybind11")
    pybind11: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"pkg:pypi/pybind11@{headers}",
        "name": "pybind11",
        "version": headers,
        "purl": f"pkg:pypi/pybind11@{headers}",
        "licenses": [{"license": {"id": "BSD-3-Clause"}}],
        "description": "C++ headers, compiled into the extension module",
    }
    files = [
        {
            "type": "file",
            "bom-ref": path,
            "name": path,
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}],
            "licenses": [{"license": {"id": "Apache-2.0"}}],
        }
        for path, data in sorted(objects.items())
    ]
    modules = [path for path in sorted(objects) if "/_core." in path]
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": whole,
                "name": name,
                "version": version,
                "purl": whole,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "properties": [{"name": "wheel:tag", "value": tag}],
            }
        },
        "components": [pybind11, *files],
        "dependencies": [
            {"ref": whole, "dependsOn": sorted(objects)},
            *({"ref": path, "dependsOn": [pybind11["bom-ref"]]} for path in modules),
        ],
    }
    serial = uuid.uuid5(_SPACE, json.dumps(document, sort_keys=True))
    return (
        json.dumps({**document, "serialNumber": f"urn:uuid:{serial}"}, indent=1) + "\n"
    ).encode()
