"""The Python and the platform that this process runs on."""

from __future__ import annotations

import sys
import sysconfig

from packaging.markers import default_environment
from packaging.tags import platform_tags

from pypid.domain.targets import Platform

_DECIDED = {"os_name", "platform_machine", "platform_release", "platform_system", "platform_version", "sys_platform"}
"""The marker variables that the platform decides."""


def this_python() -> str:
    free_threaded = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return ".".join(map(str, sys.version_info[:3])) + free_threaded


def this_platform() -> Platform:
    machine = default_environment()
    markers = {name: str(value) for name, value in machine.items() if name in _DECIDED}
    return Platform(name="this machine", tags=tuple(platform_tags()), markers=markers)
