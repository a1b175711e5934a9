"""Marathon's formats: apps, pods, groups, lists of apps, and the answers of its API.

Rules and differences: docs/marathon.md. `settings` and `ids` hold what they say, `networks` and `volumes` the ports and
disks an instance asks for, `specs` one app or pod, `reader` whole documents.
"""

from placement.frameworks.marathon.reader import fits, read
from placement.frameworks.marathon.settings import MarathonSettings, Refused

__all__ = ["MarathonSettings", "Refused", "fits", "read"]
