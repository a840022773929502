"""Networks as estimators of scikit-learn, which must be installed: `from layernet.sklearn import NetworkClassifier`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from layernet import nn, optimizers, random
from layernet.callbacks import Callback, EarlyStopping
from layernet.layers import Dense
from layernet.losses import sparse_categorical_crossentropy
from layernet.model import Model
from layernet.symbolic import Input

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("layernet.sklearn: expected scikit-learn 1.6 or later. Install scikit-learn.") from error

__all__ = ["NetworkClassifier", "NetworkRegressor"]

Array = npt.NDArray[Any]


class _NetworkEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both estimators share."""

    def __init__(
        self,
        hidden_sizes: Sequence[int] = (64,),
        activation: str = "relu",
        network: Callable[[int, int], Any] | None = None,
        optimizer: Any = "adam",
        epochs: int = 100,
        batch_size: int = 32,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        callbacks: Sequence[Callback] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.hidden_sizes = hidden_sizes
        self.activation = activation
        self.network = network
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def _start(self, outputs: int) -> None:
        """A new network, with a random generator of its own."""
        self._outputs = outputs
        self._generator = random.new_state(int(self._random().randint(2**31 - 1)))
        with random.using_state(self._generator):
            self.model_ = self._made(self.n_features_in_, outputs)
        self._compile()
        self.history_: dict[str, list[float]] = {}
        self.n_iter_ = 0

    def _random(self) -> np.random.RandomState:
        """What scikit-learn draws from; it knows numpy's older generators only."""
        given = self.random_state
        if isinstance(given, np.random.Generator):
            return np.random.RandomState(int(given.integers(2**32)))
        legacy: np.random.RandomState = check_random_state(given)
        return legacy

    def _made(self, inputs: int, outputs: int) -> Model:
        x = Input((inputs,))
        if self.network is not None:
            network = self.network(inputs, outputs)
            return network if isinstance(network, Model) else Model(x, network(x))
        values = x
        for size in self.hidden_sizes:
            values = Dense(size, activation=self.activation)(values)
        return Model(x, Dense(outputs)(values))

    def _compile(self) -> None:
        given = optimizers.get(self.optimizer)
        self.model_.compile(optimizers.deserialize(optimizers.serialize(given)), self._loss)

    def _train(self, x: Array, y: Array, epochs: int) -> None:
        calls = list(self.callbacks or ())
        validation = None
        if self.early_stopping:
            x, held_x, y, held_y = train_test_split(
                x,
                y,
                test_size=self.validation_fraction,
                random_state=self._random(),
                stratify=y if isinstance(self, NetworkClassifier) else None,
            )
            validation = held_x, held_y
            calls.append(EarlyStopping("val_loss", patience=self.patience, restore_best_weights=True))
        self._fit(x, y, epochs, calls, validation)

    def _fit(self, x: Array, y: Array, epochs: int, calls: list[Callback], validation: Any) -> None:
        if self.model_.optimizer is None:  # a copy
            self._compile()
        with random.using_state(self._generator):
            history = self.model_.fit(
                x,
                y,
                batch_size=self.batch_size,
                epochs=epochs,
                verbose=self.verbose,
                callbacks=calls,
                validation_data=validation,
            )
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)
        self.n_iter_ += len(history.epoch)

    def _raw(self, x: Any) -> Array:
        """The network's outputs, `[rows, outputs]`."""
        check_is_fitted(self, "model_")
        outputs: Array = self.model_.predict(validate_data(self, x, dtype=np.float32, reset=False))
        return outputs


class NetworkClassifier(ClassifierMixin, _NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier: dense layers, or any network, trained on the cross-entropy.

    Args:
        hidden_sizes: Units of the hidden layers, default (64,).
        activation: Their activation, default "relu".
        network: In place of both: a function of the numbers of features and of classes that returns a network, which
            gives one logit for each class. Default None.
        optimizer: An optimizer, which is not changed itself, or its name, default "adam".
        epochs: How often to go over the data, default 100.
        batch_size: Rows of a step, default 32.
        early_stopping: Whether to keep some rows for validation, stop when their loss does not become lower, and take
            the best weights; default False.
        validation_fraction: What share of the rows that is, default 0.1.
        patience: For how many epochs the loss may fail to become lower, default 10.
        callbacks: Objects of `ln.callbacks`, default None.
        random_state: A seed, or a generator of numpy, `Generator` or `RandomState`, which moves on; None (default):
            another run each time.
        verbose: 1 shows a line of progress on a terminal, default 0.

    Attributes:
        classes_: The labels.
        model_: The `ln.Model`, which gives logits.
        history_: The losses of all epochs.
        n_iter_: The number of epochs.

    Example:
        >>> import numpy as np
        >>> from layernet.sklearn import NetworkClassifier
        >>> x = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> y = np.where(x[:, 0] > 0, "high", "low")
        >>> classifier = NetworkClassifier((8,), epochs=60, random_state=0).fit(x, y)
        >>> classifier.predict([[-0.9], [0.9]]).tolist()
        ['low', 'high']
        >>> classifier.predict_proba(x).shape
        (40, 2)
    """

    _loss = staticmethod(functools.partial(sparse_categorical_crossentropy, from_logits=True))

    def fit(self, X: Any, y: Any) -> NetworkClassifier:
        """Train a new network.

        Args:
            X: Features, `[rows, features]`.
            y: Labels of any type, `[rows]`.
        """
        x, labels = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(labels)
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        self._start(len(self.classes_))
        self._train(x, numbers, self.epochs)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> NetworkClassifier:
        """Go over some rows once, with the network as it is.

        Args:
            X: Features, `[rows, features]`.
            y: Labels, `[rows]`.
            classes: All labels there are; needed in the first call, default None.

        Raises:
            ValueError: The first call without `classes`, or a label that is not among them.
        """
        first = not hasattr(self, "model_")
        if first and classes is None:
            raise ValueError("NetworkClassifier: expected classes in the first call of partial_fit, got None.")
        x, labels = validate_data(self, X, y, dtype=np.float32, reset=first)
        check_classification_targets(labels)
        if first:
            self.classes_ = np.unique(classes)
            self._start(len(self.classes_))
        places = np.searchsorted(self.classes_, labels).clip(max=len(self.classes_) - 1)
        strange = self.classes_[places] != labels
        if strange.any():
            raise ValueError(
                f"NetworkClassifier: expected labels among {self.classes_.tolist()}, got {labels[strange][0]!r}."
            )
        self._fit(x, places, 1, list(self.callbacks or ()), None)
        return self

    def predict_proba(self, X: Any) -> Array:
        """The probabilities of the classes, `[rows, classes]`, in the order of `classes_`."""
        return nn.softmax(self._raw(X)).numpy()

    def predict(self, X: Any) -> Array:
        """The most likely labels, `[rows]`."""
        numbers = self._raw(X).argmax(1)
        labels: Array = self.classes_[numbers]
        return labels


class NetworkRegressor(RegressorMixin, _NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A regressor: dense layers, or any network, trained on the squared error.

    Targets of order 1 are learnt best: scikit-learn's `TransformedTargetRegressor` scales others.

    Args:
        hidden_sizes: Units of the hidden layers, default (64,).
        activation: Their activation, default "relu".
        network: In place of both: a function of the numbers of features and of targets that returns a network. Default
            None.
        optimizer, epochs, batch_size, early_stopping, validation_fraction, patience, callbacks, random_state, verbose:
            See `NetworkClassifier`.

    Attributes:
        model_: The `ln.Model`.
        history_: The losses of all epochs.
        n_iter_: The number of epochs.

    Example:
        >>> import numpy as np
        >>> from layernet.sklearn import NetworkRegressor
        >>> x = np.linspace(-1.0, 1.0, 100)[:, None]
        >>> regressor = NetworkRegressor((16,), "tanh", epochs=200, random_state=0).fit(x, np.sin(x[:, 0]))
        >>> regressor.score(x, np.sin(x[:, 0])) > 0.9
        True
    """

    _loss = "mean_squared_error"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> NetworkRegressor:
        """Train a new network.

        Args:
            X: Features, `[rows, features]`.
            y: Targets, `[rows]` or `[rows, targets]`.
        """
        x, targets = self._checked(X, y, reset=True)
        self._start(1 if targets.ndim == 1 else targets.shape[1])
        self._train(x, targets, self.epochs)
        return self

    def partial_fit(self, X: Any, y: Any) -> NetworkRegressor:
        """Go over some rows once, with the network as it is.

        Args:
            X: Features, `[rows, features]`.
            y: Targets, `[rows]` or `[rows, targets]`.
        """
        first = not hasattr(self, "model_")
        x, targets = self._checked(X, y, reset=first)
        if first:
            self._start(1 if targets.ndim == 1 else targets.shape[1])
        self._fit(x, targets, 1, list(self.callbacks or ()), None)
        return self

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        x, targets = validate_data(self, X, y, dtype=np.float32, multi_output=True, y_numeric=True, reset=reset)
        if reset:
            self._one_target = targets.ndim == 1
        return x, np.asarray(targets, "float32")

    def predict(self, X: Any) -> Array:
        """The predicted targets, float64, in the shape of those given to `fit`."""
        outputs = self._raw(X).astype("float64")
        return outputs[:, 0] if self._one_target else outputs
