"""Scores: how well an agent suits a demand, greater is better and every agent that fits scores above 0.

A score only ranks; whether an instance fits is decided exactly elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from solvers.greedy.kernel import Float32, Frame, Needs, Numbers, View
from solvers.problem import Problem

LEAST = 1e-6
"""What an agent scores at least."""


class Score(ABC):
    """A rule that ranks agents for a demand."""

    levels: ClassVar[bool] = False
    """Whether instances are dealt out one by one to ever other agents instead of filling an agent."""

    @abstractmethod
    def __call__(self, view: View, needs: Needs) -> Numbers:
        """Return the score of each agent of the view for one more instance."""


@dataclass(frozen=True)
class Cosine(Score):
    """How much the free capacity points the way of the demand (angle between them, scaled by the roomiest agent)."""

    def __call__(self, view: View, needs: Needs) -> Numbers:
        """Return cosines."""
        weights = view.frame.weights(needs)
        if not weights:
            return np.ones(len(view.reciprocal), np.float32)
        (first, factor), *others = weights
        score = view.free[first] * factor
        for d, factor in others:
            score += view.free[d] * factor
        score *= view.reciprocal
        return score


@dataclass(frozen=True)
class Dot(Score):
    """Much free in the direction of the demand."""

    levels: ClassVar[bool] = True

    def __call__(self, view: View, needs: Needs) -> Numbers:
        """Return dot products of free capacity and demand."""
        score = np.full(len(view.reciprocal), LEAST, np.float64)
        for d, factor in view.frame.weights(needs):
            score += view.free[d] * factor
        return score


@dataclass(frozen=True)
class WorstFit(Score):
    """Much free in all."""

    levels: ClassVar[bool] = True

    def __call__(self, view: View, needs: Needs) -> Numbers:
        """Return the sums of scaled free capacity."""
        return _free_sum(view)


@dataclass(frozen=True)
class BestFit(Score):
    """Little free in all."""

    def __call__(self, view: View, needs: Needs) -> Numbers:
        """Return what the sums of scaled free capacity lack to the greatest possible."""
        return len(view.free) + 1.0 - _free_sum(view)


@dataclass(frozen=True)
class LeastShare(Score):
    """A small dominant share in use after one more instance."""

    levels: ClassVar[bool] = True

    def __call__(self, view: View, needs: Needs) -> Numbers:
        """Return 2 minus the shares."""
        frame, asked = view.frame, dict(needs)
        left = 1.0 - frame.base[view.index].astype(np.float64)
        for d, free in enumerate(view.free):
            total = frame.total[d][view.index]
            after = free - asked.get(d, 0)
            np.minimum(left, np.divide(after, total, out=np.ones_like(left), where=total > 0), out=left)
        return np.maximum(1.0 + left, LEAST)


@dataclass(frozen=True, eq=False)
class Priced(Score):
    """Agents that are opened already by another score, and after them the others by their place in a fixed order.

    Attributes
    ----------
    inner
        Score among the opened.
    place
        float32[agents], 0 to 1: greater is opened earlier.
    """

    inner: Score
    place: Float32

    def __call__(self, view: View, needs: Needs) -> Numbers:
        """Return 2 plus the inner score (halved to at most 1) for opened agents, 1 plus their place for the others."""
        inner = self.inner(view, needs)
        highest = max(float(inner.max(initial=0)), LEAST)
        return np.where(view.opened, inner / highest + 2.0, self.place[view.index] + 1.0)


def _free_sum(view: View) -> Numbers:
    score = np.full(len(view.reciprocal), LEAST, np.float64)
    for d, scale in enumerate(view.frame.scale):
        score += view.free[d] * scale
    return score


def opening_order(problem: Problem, frame: Frame, exponent: float) -> Float32:
    """Return `Priced.place`: agents by price / capacity^exponent, cheapest first.

    Capacity is the sum over the dimensions of the agent's part of all there is, weighted by how scarce that is (what is
    asked of it over what there is).
    """
    asked = problem.demand[problem.shape][:, list(frame.dimensions)] * problem.wanted[:, None]
    there = np.maximum(problem.capacity[:, list(frame.dimensions)], 0).astype(np.float64)
    everything = np.maximum(there.sum(axis=0), 1.0)
    capacity = there @ (asked.sum(axis=0) / everything**2)
    cost = problem.price / np.maximum(capacity, LEAST * capacity.max(initial=LEAST)) ** exponent
    _, rank = np.unique(cost, return_inverse=True)
    return (1.0 - rank / max(len(cost), 1)).astype(np.float32)
