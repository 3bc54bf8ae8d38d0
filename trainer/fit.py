"""The head: Keras dense layers on stored embeddings, many candidates trained side by side.

Every recipe times every fold is one member of a stack: one wide matrix product a step instead of
many narrow ones, and one graph to trace instead of dozens. Each member has its own weights, L2 and
rows (those of the other folds have weight 0), so the members don't influence each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsort.dense_head import Layer
from imgsort.trainer.calibrate import log_losses
from imgsort.trainer.coordinates import Coordinates
from imgsort.trainer.dataset import cross_folds
from imgsort.trainer.recipe import Recipe, Trial, best, recipes, tried

STEPS_A_CHECK = 10
MOST_CHECKS, MOST_CHECKS_HIDDEN = 15, 6
PATIENCE = 2
"""Checks without a lower out-of-fold loss in any recipe, after which training stops."""
MOST_FOLDS, FOLDS_OF_MANY, MANY = 5, 3, 3_000
_BETTER = 0.999
"""A loss must fall below this share of the lowest one to count as better."""
_ABSENT = -1e4
"""Logit of a class that has no picture in the other folds."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Labelled embeddings to train on, row by row."""

    embeddings: NDArray[np.floating]
    """[N, D]"""
    labels: NDArray[np.intp]
    """[N], 0 to K - 1; every class occurs."""
    groups: NDArray[np.intp]
    """[N]: rows of one group never come in different folds."""
    weights: Floats
    """[N]: how much each row counts, on top of the class weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A trained head: plain NumPy, a ReLU between layers, logits at the end."""

    layers: tuple[Layer, ...]
    chosen: Trial
    """The winning recipe with its out-of-fold logits, in the order of the examples."""
    trials: tuple[Trial, ...]
    folds: NDArray[np.intp]
    """[N]: the fold each example was in."""


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """Examples made ready: in their own coordinates, weighted, dealt into folds."""

    inputs: Floats
    """[N, R]"""
    spread: Floats
    """[R]: variance of each column."""
    labels: NDArray[np.intp]
    classes: int
    weights: Floats
    """[N], class weights included."""
    folds: NDArray[np.intp]
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
    """Members to be trained side by side."""

    members: tuple[Recipe, ...]
    """All of one width."""
    shares: Floats
    """[N, M]: weight of each row in each member's loss; a column sums to 1."""


def fit_head(examples: Examples, seed: int = 0) -> Fitted:
    """Pick a recipe by grouped cross-validation, then train it on everything.

    Raises ValueError for fewer than two classes and for embeddings that are not finite.
    """
    counts = np.bincount(examples.labels)
    if np.count_nonzero(counts) != max(len(counts), 2):
        raise ValueError(f"every class needs an example, and there must be two: {counts.tolist()}")
    if not np.isfinite(examples.embeddings).all():
        raise ValueError("an embedding has numbers that are not finite")
    coordinates = Coordinates.of(examples.embeddings)
    task = _Task(
        inputs=coordinates.of_embeddings(examples.embeddings),
        spread=coordinates.spread,
        labels=examples.labels,
        classes=len(counts),
        weights=_class_weighted(examples, counts),
        folds=_folds(examples, counts),
        seed=seed,
    )
    trials = _trials(task, recipes(counts.tolist()))
    chosen = best(trials)
    layers = _trained_on_all(task, chosen)
    first = Layer(*coordinates.folded(layers[0].weight, layers[0].bias))
    return Fitted((first, *layers[1:]), chosen, trials, task.folds)


def _trials(task: _Task, candidates: Sequence[Recipe]) -> tuple[Trial, ...]:
    found: list[Trial] = []
    if Recipe("nearest-mean") in candidates:
        found.append(_nearest_mean_trial(task))
    dense = [recipe for recipe in candidates if recipe.kind == "dense"]
    for width in sorted({recipe.width for recipe in dense}):
        found += _cross_validated(task, [recipe for recipe in dense if recipe.width == width])
    return tuple(found)


def _folds(examples: Examples, counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """As many folds as the class with the fewest groups allows, two to five."""
    pairs = np.unique(np.stack([examples.labels, examples.groups], axis=1), axis=0)
    fewest = int(np.bincount(pairs[:, 0], minlength=len(counts)).min())
    most = FOLDS_OF_MANY if len(examples.labels) > MANY else MOST_FOLDS
    count = min(max(fewest, 2), most)
    return np.array(cross_folds(examples.labels.tolist(), examples.groups.tolist(), count))


def _class_weighted(examples: Examples, counts: NDArray[np.intp]) -> Floats:
    """[N]: every class weighs the same in all, whatever its number of labels."""
    held = np.bincount(examples.labels, weights=examples.weights, minlength=len(counts))
    return (examples.weights / held[examples.labels]).astype(np.float32)


def _nearest_mean(task: _Task, rows: NDArray[np.bool_]) -> Layer:
    """Minus half the squared distance to each class's mean; its |x|² part is the same for all."""
    labels, weights = task.labels[rows], task.weights[rows]
    held = np.bincount(labels, weights=weights, minlength=task.classes)
    means = np.zeros((task.classes, task.inputs.shape[1]), np.float32)
    np.add.at(means, labels, task.inputs[rows] * weights[:, None])
    means /= np.where(held > 0, held, 1)[:, None].astype(np.float32)
    bias = np.where(held > 0, -0.5 * np.square(means).sum(axis=1), _ABSENT)
    return Layer(np.ascontiguousarray(means.T), bias.astype(np.float32))


def _nearest_mean_trial(task: _Task) -> Trial:
    logits = np.zeros((len(task.labels), task.classes), np.float32)
    for fold in np.unique(task.folds):
        inside = task.folds == fold
        layer = _nearest_mean(task, ~inside)
        logits[inside] = task.inputs[inside] @ layer.weight + layer.bias
    return tried(Recipe("nearest-mean"), 0, logits, task.labels)


class _Watch:
    """Keeps the best out-of-fold logits of each recipe while its members are trained."""

    def __init__(self, task: _Task, alike: Sequence[Recipe]) -> None:
        self.task = task
        self.best = [_Look(np.inf, 0, np.zeros((0, task.classes), np.float32))] * len(alike)
        self.stale = 0

    def look(self, steps: int, logits: Floats) -> bool:
        """Take note of ``logits`` [N, M, K]; True when nothing has got better for a while."""
        task, rows = self.task, np.arange(len(self.task.folds))
        count = int(task.folds.max()) + 1
        self.stale += 1
        for number, best_so_far in enumerate(self.best):
            out_of_fold = logits[rows, number * count + task.folds]
            loss = float(np.average(log_losses(out_of_fold, task.labels), weights=task.weights))
            if loss < best_so_far.loss * _BETTER:
                self.best[number] = _Look(loss, steps, out_of_fold)
                self.stale = 0
        return self.stale >= PATIENCE


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    loss: float
    steps: int
    logits: Floats


def _cross_validated(task: _Task, alike: Sequence[Recipe]) -> list[Trial]:
    """A trial for each of several recipes of one width: recipe by recipe, a member a fold."""
    folds = range(int(task.folds.max()) + 1)
    members = tuple(recipe for recipe in alike for _ in folds)
    shares = [np.where(task.folds == fold, 0, task.weights) for _ in alike for fold in folds]
    stack = _Stack(members, np.stack([share / share.sum() for share in shares], axis=1))
    watch = _Watch(task, alike)
    _train(task, stack, MOST_CHECKS_HIDDEN if alike[0].width else MOST_CHECKS, watch.look)
    return [
        tried(recipe, look.steps, look.logits, task.labels)
        for recipe, look in zip(alike, watch.best, strict=True)
    ]


def _trained_on_all(task: _Task, chosen: Trial) -> tuple[Layer, ...]:
    """The winning recipe on every example, for as many steps as were best out of fold."""
    if chosen.recipe.kind == "nearest-mean":
        return (_nearest_mean(task, np.ones(len(task.labels), np.bool_)),)
    stack = _Stack((chosen.recipe,), (task.weights / task.weights.sum())[:, None])
    return _train(task, stack, chosen.steps // STEPS_A_CHECK, None)


def _train(
    task: _Task, stack: _Stack, checks: int, look: Callable[[int, Floats], bool] | None
) -> tuple[Layer, ...]:
    """Full-batch training; every ten steps ``look`` sees all logits [N, M, K] and may end it.

    Returns the layers of the first member.
    """
    from imgsort.backbones.quiet import import_keras, import_tensorflow

    keras, tensorflow = import_keras(), import_tensorflow()
    tensorflow.config.experimental.enable_op_determinism()
    tensorflow.get_logger().setLevel("ERROR")  # it warns of retracing from the fifth head on
    layer = (_hidden_layer if stack.members[0].width else _linear_layer)(keras, task, stack)
    model = _compiled(keras, layer, task.inputs.shape[1], stack.members[0])
    targets = np.repeat(task.labels[:, None], len(stack.members), axis=1)
    batch = tensorflow.data.Dataset.from_tensors((task.inputs, targets, stack.shares))

    def after(epoch: int, _logs: object) -> None:
        if look and look((epoch + 1) * STEPS_A_CHECK, np.asarray(model(task.inputs))):
            model.stop_training = True

    model.fit(
        batch.repeat(),
        steps_per_epoch=STEPS_A_CHECK,
        epochs=checks,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=after)],
    )
    return tuple(Layer(weight, bias) for weight, bias in layer.first_member())


def _compiled(keras: Any, layer: Any, columns: int, recipe: Recipe) -> Any:
    """A model around the layer that holds all members."""
    inputs = keras.Input((columns,))
    model = keras.Model(inputs, layer(inputs))
    # The linear loss is convex and scaled to a curvature of at most 1, where a step of 1 is safe.
    optimizer = (
        keras.optimizers.Adam(0.01)
        if recipe.width
        else keras.optimizers.SGD(1.0, momentum=0.9, nesterov=True)
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    model.compile(optimizer, loss, steps_per_execution=STEPS_A_CHECK)
    return model


def _linear_layer(keras: Any, task: _Task, stack: _Stack) -> Any:
    """M dense layers without a hidden one.

    The Hessian of the cross-entropy is at most half the covariance (Böhning 1992), plus L2: each
    weight is divided by the square root of that, so that all directions are learned equally fast.
    """
    ops, members, classes = keras.ops, len(stack.members), task.classes
    l2 = np.array([recipe.l2 for recipe in stack.members], np.float32)
    scale = (1 / np.sqrt(0.5 * task.spread[:, None] + l2))[:, :, None].astype(np.float32)

    class Linear(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight((shape[-1], members, classes), "zeros", name="kernel")
            self.bias = self.add_weight((members, classes), "zeros", name="bias")

        def call(self, x: Any) -> Any:
            weight = self.kernel * scale
            self.add_loss(0.5 * ops.sum(ops.square(weight) * l2[:, None]))
            flat = ops.matmul(x, ops.reshape(weight, (-1, members * classes)))
            return ops.reshape(flat, (-1, members, classes)) + self.bias

        def first_member(self) -> list[tuple[Floats, Floats]]:
            kernel = np.asarray(self.kernel)[:, 0] * scale[:, 0]
            return [(kernel, np.asarray(self.bias)[0])]

    return Linear()


def _hidden_layer(keras: Any, task: _Task, stack: _Stack) -> Any:
    """M times a dense layer with ReLU, dropout, and a dense layer."""
    ops, members, classes = keras.ops, len(stack.members), task.classes
    width = stack.members[0].width
    l2 = np.array([recipe.l2 for recipe in stack.members], np.float32)
    kept = 1 - np.array([recipe.dropout for recipe in stack.members], np.float32)[:, None]
    he = float(np.sqrt(2 / task.spread.sum()))
    normal = keras.initializers.RandomNormal

    class Hidden(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
        def build(self, shape: Any) -> None:
            shape_in, shape_out = (shape[-1], members, width), (members, width, classes)
            start = normal(stddev=he, seed=task.seed)
            end = normal(stddev=width**-0.5, seed=task.seed + 1)
            self.kernel_in = self.add_weight(shape_in, start, name="kernel_in")
            self.bias_in = self.add_weight((members, width), "zeros", name="bias_in")
            self.kernel_out = self.add_weight(shape_out, end, name="kernel_out")
            self.bias_out = self.add_weight((members, classes), "zeros", name="bias_out")
            self.draws = keras.random.SeedGenerator(task.seed)

        def call(self, x: Any, training: bool = False) -> Any:
            self.add_loss(0.5 * ops.sum(ops.square(self.kernel_in) * l2[:, None]))
            self.add_loss(0.5 * ops.sum(ops.square(self.kernel_out) * l2[:, None, None]))
            flat = ops.matmul(x, ops.reshape(self.kernel_in, (-1, members * width)))
            units = ops.relu(ops.reshape(flat, (-1, members, width)) + self.bias_in)
            if training:
                drawn = keras.random.uniform(ops.shape(units), seed=self.draws)
                units = ops.where(drawn < kept, units / kept, 0.0)
            return ops.einsum("nmh,mhk->nmk", units, self.kernel_out) + self.bias_out

        def first_member(self) -> list[tuple[Floats, Floats]]:
            return [
                (np.asarray(self.kernel_in)[:, 0], np.asarray(self.bias_in)[0]),
                (np.asarray(self.kernel_out)[0], np.asarray(self.bias_out)[0]),
            ]

    return Hidden()
