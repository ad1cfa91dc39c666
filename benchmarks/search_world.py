"""What the clips of a made catalogue are about: meanings, vectors of texts about them, and words.

The numbers are fitted to those of real texts, which `search_geometry.py` measures.
"""

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np

DIMENSIONS, LATENT, WORDS = 1024, 384, 40_000
SUMMARY, KEYWORD, PASSAGE = 1, 2, 3  # kinds of texts, as the catalogue numbers them

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Shape:
    """How meanings and texts vary.

    decay   how fast the variance falls from one direction to the next
    fields  how many there are, and the share of a meaning that all of one field have in common
    topics  the same of the topics, each of which lies in a field
    spread  how unlike topics are in size
    common  the length of what all texts of a kind have in common; a meaning has length 1
    styled  the share of that which texts of another kind do not have
    held    the share of each kind of text that tells of its clip; the rest is chance
    asides  what else a clip tells of: so many things, one in each of its passages
    aside_share  how much of a passage that is
    """

    decay: float = 0.64
    fields: int = 11
    field_share: float = 0.33
    topics: int = 2000
    topic_share: float = 0.47
    spread: float = 1.4
    common: tuple[float, float, float] = (0.33, 0.57, 0.27)
    styled: float = 0.27
    held: tuple[float, float, float] = (0.64, 0.64, 0.9)
    asides: int = 4
    aside_share: float = 0.62


@dataclass(frozen=True)
class World:
    """Meanings, drawn by chance: the same ones for every run."""

    shape: Shape
    random: np.random.Generator
    axes: Array
    lift: Array
    styles: Array
    topics: Array
    sizes: Array

    @classmethod
    def make(cls, seed: int, shape: Shape = Shape()) -> "World":
        """Make the world, which is always the same, and what `seed` draws from it."""
        random = np.random.default_rng(7)
        axes = np.arange(1, LATENT + 1) ** (-shape.decay / 2)
        axes /= np.linalg.norm(axes)
        lift = np.linalg.qr(random.normal(size=(DIMENSIONS, LATENT)))[0].T
        fields = random.normal(size=(shape.fields, LATENT)) * axes
        within = random.integers(0, shape.fields, size=shape.topics)
        topics = random.normal(size=(shape.topics, LATENT)) * axes
        topics *= np.sqrt(shape.topic_share)
        topics += np.sqrt(shape.field_share) * fields[within]
        styles = random.normal(size=(4, LATENT)) / np.sqrt(LATENT)
        styles = np.sqrt(1 - shape.styled) * styles[0] + np.sqrt(shape.styled) * styles[1:]
        sizes = np.exp(shape.spread * random.normal(size=shape.topics))
        drawn = np.random.default_rng(seed)
        return cls(shape, drawn, axes, lift, styles, topics, sizes / sizes.sum())

    def id(self) -> uuid.UUID:
        """Make an id that is the same every time."""
        return uuid.UUID(bytes=self.random.bytes(16), version=4)

    def choose(self, count: int) -> Array:
        """Choose topics, large ones more often."""
        return self.random.choice(len(self.topics), size=count, p=self.sizes)

    def meanings(self, topics: Array) -> Array:
        """Draw what is meant within the topics."""
        own = 1 - self.shape.field_share - self.shape.topic_share
        return self.topics[topics] + np.sqrt(own) * self._chance(len(topics))

    def vectors(self, meanings: Array, kind: int) -> Array:
        """Draw the vectors, of length 1, of one text about each."""
        held = self.shape.held[kind - 1]
        found = np.sqrt(held) * meanings + np.sqrt(1 - held) * self._chance(len(meanings))
        found += self.shape.common[kind - 1] * self.styles[kind - 1]
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return (found.astype(np.float32) @ self.lift.astype(np.float32)).astype(np.float32)

    def passages(self, meanings: Array, each: int) -> Array:
        """Draw the vectors of so many passages of each; they tell of a few things besides."""
        shape, count = self.shape, len(meanings)
        aside = self.meanings(self.choose(count * shape.asides)).reshape(count, shape.asides, -1)
        told = np.sqrt(1 - shape.aside_share) * meanings[:, np.newaxis]
        told = told + np.sqrt(shape.aside_share) * aside[:, np.arange(each) % shape.asides]
        return self.vectors(told.reshape(count * each, -1), PASSAGE)

    def _chance(self, count: int) -> Array:
        return self.random.standard_normal((count, LATENT), np.float32) * self.axes

    def text(self, topic: int, count: int) -> str:
        """Words as they are spread in a language, and three of the topic's own."""
        common = self.random.zipf(1.2, size=count) % WORDS
        own = [f"topic{topic}x{self.random.integers(8)}" for _ in range(3)]
        return " ".join([*own, *(f"word{number}" for number in common)])
