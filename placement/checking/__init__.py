"""The parts of the checker (`placement.checker`): plain facts, amounts, ports, disks, values that matter.

Everything here is computed from the plain records of agents, jobs and running instances; nothing is shared with what
decides placements.
"""
