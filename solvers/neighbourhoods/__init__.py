"""Large-neighbourhood search: free a few agents, solve them exactly with all else fixed, keep what is not worse.

Any problem and any goal; rows under rules that windows cannot say (see `windows`) stay where they are.
"""

from __future__ import annotations

from solvers.neighbourhoods.search import improve, unsuited

__all__ = ["improve", "unsuited"]
