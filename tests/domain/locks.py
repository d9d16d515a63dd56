"""One project, locked by three tools: what they wrote, without what nobody reads."""

from __future__ import annotations

ROOT, LEFT, LEFT_SOURCE, DEVTOOL = "a" * 64, "b" * 64, "c" * 64, "d" * 64

POETRY = f"""
[[package]]
name = "devtool"
version = "1.0"
description = "A test distribution"
optional = false
python-versions = "*"
groups = ["dev"]
markers = "sys_platform == \\"win32\\""
files = [
    {{file = "devtool-1.0-py3-none-any.whl", hash = "sha256:{DEVTOOL}"}},
]

[[package]]
name = "left"
version = "1.5"
groups = ["main", "dev"]
files = [
    {{file = "left-1.5-py3-none-any.whl", hash = "sha256:{LEFT}"}},
    {{file = "left-1.5.tar.gz", hash = "sha256:{LEFT_SOURCE}"}},
]

[package.markers]
main = "extra == \\"y\\""
dev = "sys_platform == \\"win32\\""

[package.source]
type = "legacy"
url = "http://127.0.0.1:8080/simple"
reference = "pypid"

[[package]]
name = "Root.Thing"
version = "2.0"
groups = ["main"]
files = [
    {{file = "root_thing-2.0-py3-none-any.whl", hash = "sha256:{ROOT}"}},
]

[package.dependencies]
left = {{version = ">=1", optional = true, markers = "extra == \\"y\\""}}

[[package]]
name = "from-git"
version = "1.0"
files = []

[package.source]
type = "git"
url = "https://example.test/from-git"

[extras]
y = ["left"]

[metadata]
lock-version = "2.1"
python-versions = ">=3.10,<4"
content-hash = "e"
"""

UV = f"""
version = 1
revision = 3
requires-python = ">=3.10"

[[package]]
name = "demo-app"
version = "0.1"
source = {{ virtual = "." }}
dependencies = [{{ name = "root-thing" }}]

[[package]]
name = "member"
version = "0.1"
source = {{ editable = "packages/member" }}

[[package]]
name = "devtool"
version = "1.0"
source = {{ registry = "http://127.0.0.1:8080/simple/" }}
resolution-markers = ["sys_platform == 'win32'"]
wheels = [
    {{ url = "http://127.0.0.1:8080/files/devtool/d/devtool-1.0-py3-none-any.whl", hash = "sha256:{DEVTOOL}" }},
]

[[package]]
name = "left"
version = "1.5"
source = {{ registry = "https://index.test/simple" }}
sdist = {{ url = "https://files.test/left-1.5.tar.gz", hash = "sha256:{LEFT_SOURCE}" }}
wheels = [
    {{ url = "https://files.test/left-1.5-py3-none-any.whl", hash = "sha256:{LEFT}" }},
]

[[package]]
name = "root-thing"
version = "2.0"
source = {{ registry = "../flat" }}
wheels = [
    {{ path = "../flat/root_thing-2.0-py3-none-any.whl", hash = "sha256:{ROOT}" }},
]

[[package]]
name = "from-git"
version = "1.0"
source = {{ git = "https://example.test/from-git#0123" }}
"""

PYLOCK = f"""
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.10"
extras = ["y"]
dependency-groups = ["dev"]

[[packages]]
name = "devtool"
version = "1.0"
marker = "sys_platform == 'win32' and 'dev' in dependency_groups"
wheels = [{{ url = "http://127.0.0.1:8080/devtool-1.0-py3-none-any.whl", hashes = {{ sha256 = "{DEVTOOL}" }} }}]

[[packages]]
name = "left"
version = "1.5"
marker = "'y' in extras"
sdist = {{ url = "https://files.test/left-1.5.tar.gz", hashes = {{ sha256 = "{LEFT_SOURCE}" }} }}
wheels = [{{ name = "left-1.5-py3-none-any.whl", url = "https://files.test/1", hashes = {{ sha256 = "{LEFT}" }} }}]

[[packages]]
name = "root-thing"
version = "2.0"
wheels = [{{ path = "flat/root_thing-2.0-py3-none-any.whl", hashes = {{ sha256 = "{ROOT}", md5 = "f" }} }}]

[[packages]]
name = "from-git"
version = "1.0"
vcs = {{ type = "git", url = "https://example.test/from-git", commit-id = "0123" }}
"""
