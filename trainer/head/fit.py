"""The head: Keras dense layers on stored embeddings, many candidates trained side by side.

Every recipe times every fold is one member of a stack: one wide matrix product a step instead of
many narrow ones, and one graph to trace instead of dozens. Each member has its own weights, L2 and
rows (those of its fold have weight 0), so the members don't influence each other. What a head adds
to the first model's opinion, and why, is told in ``imgsort.models.heads.learned``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.learned import DenseLayer, Taught, weight_of_learning
from imgsort.trainer.head.pca import Coordinates
from imgsort.trainer.head.recipe import Recipe

STEPS = 100
L2_BIAS, L2_STRENGTH = 1.0, 10.0
"""Beside the sum of losses: of two labels a class little can be learned about either."""
_RATE, _RATE_HIDDEN = 0.5, 0.01
_LEADING = 20
"""Unlabelled classes told apart while training; the rest counts as one."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Labelled embeddings to train on, row by row."""

    embeddings: NDArray[np.floating]
    """[N, D]"""
    labels: NDArray[np.intp]
    """[N], 0 to L - 1."""
    folds: NDArray[np.intp]
    """[N]"""
    weights: Floats
    """[N]: how much each row counts."""
    prior: Floats
    """[N, K + 1]: what the first model says, as logarithms; the L labelled classes come first."""
    labelled: int
    """L"""
    blocks: tuple[int, ...]
    """Widths of the final embedding and of the inner layers' means."""

    def part(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Examples":
        """Some of the rows."""
        names = ("embeddings", "labels", "folds", "weights", "prior")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


@dataclass(frozen=True, slots=True)
class Member:
    """One head to be trained: a recipe, blind to a fold."""

    recipe: Recipe
    fold: int | None
    """Not trained on; None trains on everything."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedHead:
    """A head as it came out, in the coordinates it was trained in."""

    member: Member
    coordinates: Coordinates
    strength: float
    layers: tuple[DenseLayer, ...]

    def taught(self) -> Taught:
        """The same on plain embeddings."""
        first = DenseLayer(*self.coordinates.folded(self.layers[0].weight, self.layers[0].bias))
        return Taught(self.strength, (first, *self.layers[1:]))


def fit(examples: Examples, members: Sequence[Member], seed: int = 0) -> list[TrainedHead]:
    """Train every member. Raises ValueError for embeddings that are not finite."""
    if not np.isfinite(examples.embeddings).all():
        raise ValueError("an embedding has numbers that are not finite")
    found: dict[Member, TrainedHead] = {}
    for inner in sorted({member.recipe.inner for member in members}):
        coordinates = Coordinates.of(examples.embeddings, examples.blocks, inner)
        inputs = coordinates.of_embeddings(examples.embeddings)
        for width in sorted({m.recipe.width for m in members if m.recipe.inner == inner}):
            alike = [m for m in members if (m.recipe.inner, m.recipe.width) == (inner, width)]
            layers = _trained(_Task(examples, inputs, coordinates.spread, seed), alike)
            for member, (strength, own) in zip(alike, layers, strict=True):
                found[member] = TrainedHead(member, coordinates, strength, own)
    return [found[member] for member in members]


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    examples: Examples
    inputs: Floats
    """[N, R]"""
    spread: Floats
    """[R]"""
    seed: int

    def prior(self) -> Floats:
        """[N, L + Q]: of the unlabelled classes only the leading ones, picture by picture, and all
        the others as one. They are no one's label: what counts is how much they take."""
        labelled = self.examples.labelled
        known, rest = self.examples.prior[:, :labelled], self.examples.prior[:, labelled:]
        if rest.shape[1] > _LEADING + 1:
            ranked = np.sort(rest, axis=1)[:, ::-1]
            others = np.log(np.exp(ranked[:, _LEADING:]).sum(axis=1, keepdims=True))
            rest = np.concatenate([ranked[:, :_LEADING], others], axis=1)
        return np.concatenate([known, rest], axis=1).astype(np.float32)

    def shares(self, members: Sequence[Member]) -> Floats:
        """[N, M]: the weight of each row in each member's loss."""
        weights, folds = self.examples.weights, self.examples.folds
        return np.stack([np.where(folds == m.fold, 0, weights) for m in members], axis=1)


def _trained(task: _Task, members: Sequence[Member]) -> list[tuple[float, tuple[DenseLayer, ...]]]:
    """Full-batch training of members of one width."""
    from imgsort.models.backbones.heavy_imports import import_keras, import_tensorflow

    keras, tensorflow = import_keras(), import_tensorflow()
    tensorflow.config.experimental.enable_op_determinism()
    tensorflow.get_logger().setLevel("ERROR")  # it warns of retracing from the fifth head on
    shares, prior = task.shares(members), task.prior()
    total = np.maximum(shares.sum(axis=0), 1e-6).astype(np.float32)
    stack = _Stack(task, tuple(members), total, prior)
    width = members[0].recipe.width
    layer = (_hidden_layer if width else _linear_layer)(keras, stack)
    inputs = [keras.Input((columns,)) for columns in (task.inputs.shape[1], prior.shape[1], 1)]
    model = keras.Model(inputs, layer(inputs))
    optimizer = (
        keras.optimizers.Adam(_RATE_HIDDEN)
        if width
        # The linear loss is convex and scaled to a curvature of about 1.
        else keras.optimizers.SGD(_RATE, momentum=0.9, nesterov=True)
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    model.compile(optimizer, loss, steps_per_execution=STEPS)
    share = weight_of_learning(task.examples.prior, task.examples.labelled)
    targets = np.repeat(task.examples.labels[:, None], len(members), axis=1)
    batch = tensorflow.data.Dataset.from_tensors(
        ((task.inputs, prior, share), targets, shares / total)
    )
    model.fit(batch.repeat(), steps_per_epoch=STEPS, epochs=1, shuffle=False, verbose=0)
    strengths = np.exp(np.asarray(layer.strength) * stack.strength_scale)
    return [
        (float(strengths[at]), tuple(DenseLayer(*pair) for pair in layer.of_member(at)))
        for at in range(len(members))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
    """Members trained side by side; losses are means, so penalties are divided by the weight."""

    task: _Task
    members: tuple[Member, ...]
    total: Floats
    """[M]: the weight of all rows of each member."""
    prior: Floats
    """[N, L + Q]"""

    @property
    def classes(self) -> int:
        return self.task.examples.labelled

    @property
    def l2(self) -> Floats:
        """[M]"""
        return np.array([m.recipe.l2 for m in self.members], np.float32) / self.total

    @property
    def strength_scale(self) -> Floats:
        """[M]: what makes the curvature in the prior's strength about 1."""
        spread = float(self.prior.var(axis=1).mean())
        scale = 1 / np.sqrt(0.5 * spread + L2_STRENGTH / self.total)
        return np.asarray(scale, np.float32)


def _taught_layer(keras: Any, stack: _Stack) -> Any:
    """The part that both kinds of head share: the prior, and how what is learned joins it."""
    ops, members = keras.ops, len(stack.members)
    scale = stack.strength_scale

    class Taught(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
        def build(self, shape: Any) -> None:
            self.strength = self.add_weight((members,), "zeros", name="strength")
            self.build_learned(shape[0][-1])

        def call(self, inputs: Any, training: bool = False) -> Any:
            x, prior, share = inputs
            power = self.strength * scale
            self.add_loss(0.5 * ops.sum(ops.square(power) * (L2_STRENGTH / stack.total)))
            said = self.learned(x, training)
            said = (said - ops.mean(said, axis=-1, keepdims=True)) * share[:, :, None]
            before = ops.exp(power)[:, None] * prior[:, None, :]
            added = before[:, :, : stack.classes] + said
            return ops.concatenate([added, before[:, :, stack.classes :]], axis=-1)

    return Taught


def _linear_layer(keras: Any, stack: _Stack) -> Any:
    """M dense layers without a hidden one.

    The Hessian of the cross-entropy is at most half the covariance (Böhning 1992), plus L2: each
    weight is divided by the square root of that, so that all directions are learned equally fast.
    """
    ops, members, classes = keras.ops, len(stack.members), stack.classes
    l2, bias_l2 = stack.l2, L2_BIAS / stack.total
    scale = (1 / np.sqrt(0.5 * stack.task.spread[:, None] + l2))[:, :, None].astype(np.float32)
    bias_scale = (1 / np.sqrt(0.5 + bias_l2))[:, None].astype(np.float32)

    class Linear(_taught_layer(keras, stack)):  # type: ignore[misc]  # keras has no types
        def build_learned(self, columns: int) -> None:
            self.kernel = self.add_weight((columns, members, classes), "zeros", name="kernel")
            self.bias = self.add_weight((members, classes), "zeros", name="bias")

        def learned(self, x: Any, training: bool) -> Any:  # noqa: ARG002 - nothing is dropped
            weight, bias = self.kernel * scale, self.bias * bias_scale
            self.add_loss(0.5 * ops.sum(ops.square(weight) * l2[:, None]))
            self.add_loss(0.5 * ops.sum(ops.square(bias) * bias_l2[:, None]))
            flat = ops.matmul(x, ops.reshape(weight, (-1, members * classes)))
            return ops.reshape(flat, (-1, members, classes)) + bias

        def of_member(self, at: int) -> list[tuple[Floats, Floats]]:
            kernel = np.asarray(self.kernel)[:, at] * scale[:, at]
            return [(kernel, np.asarray(self.bias)[at] * bias_scale[at])]

    return Linear()


def _hidden_layer(keras: Any, stack: _Stack) -> Any:
    """M times a dense layer with ReLU, dropout, and a dense layer."""
    ops, members, classes = keras.ops, len(stack.members), stack.classes
    width, seed, l2 = stack.members[0].recipe.width, stack.task.seed, stack.l2
    kept = 1 - np.array([m.recipe.dropout for m in stack.members], np.float32)[:, None]
    he = float(np.sqrt(2 / stack.task.spread.sum()))
    normal = keras.initializers.RandomNormal

    class Hidden(_taught_layer(keras, stack)):  # type: ignore[misc]  # keras has no types
        def build_learned(self, columns: int) -> None:
            shape_in, shape_out = (columns, members, width), (members, width, classes)
            start = normal(stddev=he, seed=seed)
            end = normal(stddev=width**-0.5, seed=seed + 1)
            self.kernel_in = self.add_weight(shape_in, start, name="kernel_in")
            self.bias_in = self.add_weight((members, width), "zeros", name="bias_in")
            self.kernel_out = self.add_weight(shape_out, end, name="kernel_out")
            self.bias_out = self.add_weight((members, classes), "zeros", name="bias_out")
            self.draws = keras.random.SeedGenerator(seed)

        def learned(self, x: Any, training: bool) -> Any:
            self.add_loss(0.5 * ops.sum(ops.square(self.kernel_in) * l2[:, None] / width))
            self.add_loss(0.5 * ops.sum(ops.square(self.kernel_out) * l2[:, None, None]))
            flat = ops.matmul(x, ops.reshape(self.kernel_in, (-1, members * width)))
            units = ops.relu(ops.reshape(flat, (-1, members, width)) + self.bias_in)
            if training:
                drawn = keras.random.uniform(ops.shape(units), seed=self.draws)
                units = ops.where(drawn < kept, units / kept, 0.0)
            return ops.einsum("nmh,mhk->nmk", units, self.kernel_out) + self.bias_out

        def of_member(self, at: int) -> list[tuple[Floats, Floats]]:
            return [
                (np.asarray(self.kernel_in)[:, at], np.asarray(self.bias_in)[at]),
                (np.asarray(self.kernel_out)[at], np.asarray(self.bias_out)[at]),
            ]

    return Hidden()
