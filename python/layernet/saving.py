"""Checkpoints: the values of variables in a safetensors file, by name, and TensorFlow's `checkpoint` state file.

A checkpoint is named by its prefix: `run/ckpt-3` stands for the file `run/ckpt-3.safetensors`. `run/checkpoint`
says which prefix was saved last. Both are replaced atomically, and a checkpoint is restored as a whole or not at all:
names, shapes and types are compared before the first variable changes. Checkpoints of TensorFlow 1.x are read by the
same calls; where both kinds exist at one prefix, the safetensors file is taken.
"""

from __future__ import annotations

import contextlib
import operator
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from layernet import _core
from layernet.errors import CheckpointNotFoundError, DataLossError, FormatError, NotFoundError, ShapeError
from layernet.layers.base import Layer
from layernet.naming import VariableScope
from layernet.network import Network
from layernet.partitioning import PartitionedVariable
from layernet.tensor import Tensor
from layernet.tensorfile import TensorFile, atomic_write, write_tensors
from layernet.tensorflow_checkpoint import TensorFlowCheckpoint
from layernet.variable import PieceOf, Variable, creation_hook

__all__ = [
    "Saver",
    "latest_checkpoint",
    "list_variables",
    "load_variable",
    "restore_network_checkpoint",
    "restore_variables_on_create",
    "save_network_checkpoint",
]

_SUFFIX = ".safetensors"
_INDEX_SUFFIX = ".index"
_STATE_FILE = "checkpoint"

# How the names of the pieces of a partitioned variable end. TensorFlow's own files have the whole under one name.
_PIECE = re.compile(r"/part_\d+\Z")

Path = str | os.PathLike[str]
MapFunc = Callable[[str], str]
CheckpointFile = TensorFile | TensorFlowCheckpoint


class Saver:
    """Saves variables under their names, and restores them.

    Args:
        var_list: Variables, saved under their full names without ":0"; or a dictionary from names to variables.
        max_to_keep: How many of the checkpoints that this object saves stay, the latest ones, default 5. Older ones are
            removed; what others have saved never is. None or 0: all stay.

    Raises:
        TypeError: Something that is not a variable, or one that is not in a list.
        ValueError: No variables, two variables of one name (the same variable twice is fine), or a negative number.

    Example:
        >>> import layernet as ln
        >>> import tempfile
        >>> v = ln.Variable([1.0, 2.0], name="v")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = ln.Saver([v]).save(folder + "/ckpt", global_step=7)
        ...     v.assign([0.0, 0.0]) is v
        ...     ln.Saver({"v": v}).restore(path)
        True
        >>> path.rsplit("/", 1)[1], v.numpy()
        ('ckpt-7', array([1., 2.], dtype=float32))
    """

    def __init__(self, var_list: Iterable[Variable] | Mapping[str, Variable], max_to_keep: int | None = 5) -> None:
        if max_to_keep is not None and max_to_keep < 0:
            raise ValueError(f"Saver: expected max_to_keep to be a number, or None to keep all, got {max_to_keep}.")
        self._max_to_keep = max_to_keep or None
        self._saved: list[str] = []  # absolute prefixes of what is kept, the oldest first
        self._variables: dict[str, Variable] = {}
        for name, variable in _named(var_list):
            if self._variables.setdefault(name, variable) is not variable:
                raise ValueError(
                    f"Saver: expected one variable of each name, got two called {name!r}. "
                    "Give a dictionary with names of your own."
                )
        if not self._variables:
            raise ValueError("Saver: expected at least one variable, got none. Networks have variables once called.")

    def save(self, file_prefix: Path, global_step: int | Variable | None = None) -> str:
        """Write a checkpoint and note it as the latest one of its folder, which is made if it does not exist.

        Of the earlier ones of this object, those that are too many for `max_to_keep` are removed then.

        Args:
            file_prefix: The prefix; the file is `<prefix>.safetensors`.
            global_step: An integer, appended to the prefix as `-<step>`; None (default) appends nothing.

        Returns:
            The prefix, with the step.

        Raises:
            TypeError: `global_step` is not an integer.
            OSError: The file cannot be written; what was there stays.
        """
        prefix = os.fspath(file_prefix)
        if global_step is not None:
            prefix = f"{prefix}-{_step_number(global_step)}"
        folder = os.path.dirname(prefix) or "."
        os.makedirs(folder, exist_ok=True)
        write_tensors(prefix + _SUFFIX, {name: stored_variable(v) for name, v in self._variables.items()})
        self._saved = [earlier for earlier in self._saved if earlier != os.path.abspath(prefix)]
        self._saved.append(os.path.abspath(prefix))
        surplus = self._saved[: -self._max_to_keep] if self._max_to_keep is not None else []
        _note_latest(folder, os.path.basename(prefix), surplus)
        for earlier in surplus:
            with contextlib.suppress(FileNotFoundError):
                os.remove(earlier + _SUFFIX)
            self._saved.remove(earlier)
        return prefix

    def restore(self, path: Path) -> None:
        """Assign the values of a checkpoint; entries of other names are ignored.

        Args:
            path: The prefix that `save` returned.

        Raises:
            CheckpointNotFoundError: No such checkpoint (a ValueError, and a NotFoundError too).
            NotFoundError: A variable's name is not in the file.
            ShapeError: A variable has another shape in the file.
            DataLossError: A variable has another type in the file.
            FormatError: The file is damaged.
        """
        with _open(path) as file:
            _restore(file, self._variables)


def _step_number(global_step: int | Variable) -> int:
    try:
        return operator.index(global_step)
    except TypeError:
        raise TypeError(f"global_step: expected an integer or an integer variable, got {global_step!r}.") from None


def save_network_checkpoint(
    network: Network, save_path: Path, global_step: int | Variable | None = None, map_func: MapFunc | None = None
) -> str:
    """Save all variables of a network.

    Args:
        network: A network that has been called.
        save_path: A prefix, or a folder: the prefix is then the network's name in that folder, with "_" for "/".
        global_step: An integer, appended to the prefix as `-<step>`; None (default) appends nothing.
        map_func: From a variable's full name (without ":0") to its name in the file. None (default) takes the network's
            own prefix away, so that another instance can restore the file; other names stay as they are.

    Returns:
        The prefix, with the step: what `restore_network_checkpoint` takes.

    Raises:
        TypeError: Something that is not a network, or a `global_step` that is not an integer.
        ValueError: A network without variables, or two variables that get the same name.
        OSError: The file cannot be written; what was there stays.

    Example:
        >>> import layernet as ln
        >>> import tempfile
        >>> net = ln.Sequential([ln.layers.Dense(1)], name="net")
        >>> out = net(ln.constant([[1.0]]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = ln.save_network_checkpoint(net, folder, global_step=3)
        ...     ln.list_variables(path)
        [('dense/bias', [1]), ('dense/kernel', [1, 1])]
    """
    _check_network("save_network_checkpoint", network)
    if not network.built:
        raise ValueError(
            f"save_network_checkpoint: expected a network that has been called, got {type(network).__name__}, "
            "which has no variables yet. Call it once."
        )
    names = _names_in_file(network, _mapping(network, map_func))
    return Saver(names).save(_network_prefix(network, save_path), global_step)


def restore_network_checkpoint(network: Network, save_path: Path, map_func: MapFunc | None = None) -> None:
    """Restore a network: existing variables at once, those that do not exist yet when they are made.

    Restoring gives the network its final name, as calling it does. Of several restores that wait for a variable, the
    latest that has its name gives the value.

    Args:
        network: A network, called or not.
        save_path: The prefix, or the folder that was given to `save_network_checkpoint`.
        map_func: As for saving, and in the same direction: from a variable's full name to its name in the file.

    Raises:
        TypeError: Something that is not a network.
        CheckpointNotFoundError: No such checkpoint (a ValueError, and a NotFoundError too).
        NotFoundError: An existing variable is not in the file.
        ShapeError: An existing variable has another shape in the file. (Variables made later raise a ValueError then.)
        DataLossError: An existing variable has another type in the file.
        ValueError: Two variables get the same name, or an unbuilt layer belongs to a network that no longer exists.
        FormatError: The file is damaged.

    Example:
        >>> import layernet as ln
        >>> import tempfile
        >>> def make():
        ...     return ln.Sequential([ln.layers.Dense(2), ln.layers.Dense(1)])
        >>> x = ln.constant([[1.0, 2.0]])
        >>> first, second = make(), make()
        >>> y = first(x)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ln.restore_network_checkpoint(second, ln.save_network_checkpoint(first, folder))
        >>> bool((second(x).numpy() == y.numpy()).all())
        True
    """
    _check_network("restore_network_checkpoint", network)
    scopes = _fixed_scopes(network)
    mapping = _mapping(network, map_func)
    existing = _names_in_file(network, mapping)
    with _open(_network_prefix(network, save_path)) as file:
        _restore(file, existing)
        later = {name: file_value(file, name) for name in file.entries if name not in existing}
    if later:
        waiting = _Waiting(mapping, later)
        for scope in scopes:
            scope.restore_hooks.append(waiting)


@contextlib.contextmanager
def restore_variables_on_create(save_path: Path, map_func: MapFunc | None = None) -> Iterator[None]:
    """Inside the block, variables start with their values in a checkpoint.

    Args:
        save_path: The prefix of the checkpoint.
        map_func: From a variable's full name (without ":0") to its name in the file; None (default) changes nothing.

    Raises:
        CheckpointNotFoundError: No such checkpoint.
        NotFoundError: On making a variable whose name is not in the file.
        ValueError: On making a variable of another shape or type.
        FormatError: The file is damaged.

    Example:
        >>> import layernet as ln
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = ln.Saver([ln.Variable(5.0, name="v")]).save(folder + "/ckpt")
        ...     with ln.restore_variables_on_create(path):
        ...         v = ln.Variable(1.0, name="v")
        >>> float(v)
        5.0
    """
    with _open(save_path) as file:

        def value_of(name: str, shape: tuple[int, ...], dtype: Any) -> Tensor | None:
            in_file = map_func(name) if map_func is not None else name
            if in_file not in file.entries and _PIECE.sub("", in_file) in file.entries:
                return None  # a piece, which is cut out of the whole
            return file_value(file, in_file)

        with creation_hook(value_of):
            yield


def list_variables(path: Path) -> list[tuple[str, list[int]]]:
    """Names and shapes in a checkpoint, sorted by name.

    Args:
        path: The prefix of a checkpoint, or a folder, whose latest checkpoint is meant.

    Raises:
        CheckpointNotFoundError: No such checkpoint.
        FormatError: The file is damaged.

    Example: see `save_network_checkpoint`.
    """
    with _open(path, folders=True) as file:
        return sorted((name, list(entry.shape)) for name, entry in file.entries.items())


def load_variable(path: Path, name: str) -> npt.NDArray[Any]:
    """One value of a checkpoint, as an array; bfloat16 comes as float32.

    Args:
        path: The prefix of a checkpoint, or a folder, whose latest checkpoint is meant.
        name: The name in the file; a trailing ":0" is ignored.

    Raises:
        CheckpointNotFoundError: No such checkpoint.
        NotFoundError: No such name in it.
        FormatError: The file is damaged.

    Example:
        >>> import layernet as ln
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = ln.Saver([ln.Variable(5.0, name="v")]).save(folder + "/ckpt")
        ...     float(ln.load_variable(path, "v"))
        5.0
    """
    with _open(path, folders=True) as file:
        return file.read(name.removesuffix(":0"))


def latest_checkpoint(checkpoint_dir: Path) -> str | None:
    """The prefix that the folder's `checkpoint` file names as the latest; None without that file or the checkpoint.

    Args:
        checkpoint_dir: The folder.

    Raises:
        FormatError: The `checkpoint` file is not one.

    Example:
        >>> import layernet as ln
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ln.latest_checkpoint(folder) is None
        ...     path = ln.Saver([ln.Variable(5.0, name="v")]).save(folder + "/ckpt")
        ...     ln.latest_checkpoint(folder) == path
        True
        True
    """
    folder = os.fspath(checkpoint_dir)
    prefixes = _read_state(folder)
    if not prefixes:
        return None
    prefix = os.path.join(folder, prefixes[-1])
    return prefix if _exists(prefix) else None


class _Waiting:
    """The rest of a checkpoint, waiting for the variables to be made; a hook of `VariableScope.restore_hooks`."""

    def __init__(self, mapping: MapFunc, values: dict[str, Tensor]) -> None:
        self._mapping = mapping
        self._values = values
        self._taken: dict[str, str] = {}

    def __call__(self, name: str, shape: tuple[int, ...], dtype: Any) -> Tensor | None:
        in_file = self._mapping(name)
        if in_file in self._taken:
            raise ValueError(
                f"variable {name!r}: expected a value of its own in the checkpoint, but {in_file!r} already went to "
                f"{self._taken[in_file]!r}. Give restore_network_checkpoint a map_func that tells them apart."
            )
        value = self._values.get(in_file)
        if value is not None and (value.shape, value.dtype) == (shape, dtype):
            self._taken[in_file] = name
            del self._values[in_file]
        return value  # one that does not fit is refused by who asks, and waits on


def _check_network(who: str, network: Any) -> None:
    if not isinstance(network, Network):
        raise TypeError(
            f"{who}: expected a network, got {type(network).__name__}. Saver takes the variables of anything else."
        )


def _mapping(network: Network, map_func: MapFunc | None) -> MapFunc:
    """The function from full names to names in the file."""
    if map_func is not None:
        return map_func
    prefix = network.scope_name + "/"
    return lambda name: name.removeprefix(prefix)


def _names_in_file(network: Network, mapping: MapFunc) -> dict[str, Variable]:
    """The network's variables by their names in the file."""
    names: dict[str, Variable] = {}
    for variable in network.variables:
        name = mapping(variable.full_name)
        if not isinstance(name, str):
            raise TypeError(f"map_func: expected a string for {variable.full_name!r}, got {name!r}.")
        other = names.setdefault(name, variable)
        if other is not variable:
            raise ValueError(
                f"network {network.name!r}: expected names in the checkpoint to differ, but {other.full_name!r} and "
                f"{variable.full_name!r} both become {name!r}. Give a map_func that tells them apart."
            )
    return names


def _network_prefix(network: Network, save_path: Path) -> str:
    path = os.fspath(save_path)
    if os.path.isdir(path) or path.endswith(os.sep):
        return os.path.join(path, network.name.replace("/", "_"))
    return path


def _fixed_scopes(network: Network) -> list[VariableScope]:
    """The scopes of a network and of all that it tracks, wherever they lie; those that are not yet fixed become so."""
    network.fix_scope()
    scopes = [network.scope]
    for layer in network.layers:
        scopes += _fixed_scopes(layer) if isinstance(layer, Network) else [layer.scope]
    return [scope for scope in scopes if scope is not None]


def _restore(file: CheckpointFile, variables: Mapping[str, Variable]) -> None:
    """Assign to all variables, or, when one does not fit, to none."""
    places = {name: _place(file, name, variable) for name, variable in variables.items()}
    missing = sorted(name for name, (in_file, _) in places.items() if in_file not in file.entries)
    if missing:
        raise NotFoundError(
            f"{file.path}: expected the variables {', '.join(map(repr, variables))}, "
            f"but the file lacks {', '.join(map(repr, missing))}. See list_variables for those that it has."
        )
    for name, variable in variables.items():
        in_file, piece = places[name]
        entry = file.entries[in_file]
        shape = tuple(variable.shape) if piece is None else piece.full_shape
        if entry.shape != shape:
            raise ShapeError(
                f"variable {variable.name!r}: expected shape {list(shape)}, "
                f"got {list(entry.shape)} for {in_file!r} in {file.path}."
            )
        if entry.dtype != variable.dtype.name:
            raise DataLossError(
                f"variable {variable.name!r}: expected dtype {variable.dtype.name}, "
                f"got {entry.dtype} for {in_file!r} in {file.path}."
            )
    values = {in_file: file_value(file, in_file) for in_file, _ in places.values()}
    for name, variable in variables.items():
        in_file, piece = places[name]
        variable.assign(values[in_file] if piece is None else piece.cut(values[in_file]))


def _place(file: CheckpointFile, name: str, variable: Variable) -> tuple[str, PieceOf | None]:
    """Where a variable's value is: under its name or, for a piece, in the whole under the name of that."""
    whole = _PIECE.sub("", name)
    if variable.piece_of is not None and name not in file.entries and whole in file.entries:
        return whole, variable.piece_of
    return name, None


def file_value(file: CheckpointFile, name: str) -> Tensor:
    array = file.read(name)
    if file.entries[name].dtype == "bfloat16":
        return _core.constant(array, dtype=_core.bfloat16)
    return _core.from_numpy(array, copy=False)


def stored_variable(variable: Variable) -> tuple[str, npt.NDArray[Any]]:
    """Type and values of a variable as `write_tensors` takes them."""
    dtype = variable.dtype
    if dtype == _core.bfloat16:
        return dtype.name, np.asarray(_core.ops.cast(variable, dtype=_core.float32))
    return dtype.name, variable.numpy()


def _named(var_list: Iterable[Any] | Mapping[str, Any]) -> Iterator[tuple[str, Variable]]:
    """Names and variables, partitioned ones piece by piece."""
    if isinstance(var_list, (Variable, Layer)):
        raise TypeError(
            f"Saver: expected a list of variables or a dictionary, got {type(var_list).__name__}. "
            "Give [variable], or the variables of a layer."
        )
    given: Iterable[tuple[str | None, Any]]
    given = var_list.items() if isinstance(var_list, Mapping) else [(None, variable) for variable in var_list]
    for name, variable in given:
        if isinstance(variable, PartitionedVariable):
            for number, piece in enumerate(variable):
                yield (f"{name or variable.name}/part_{number}", piece)
        else:
            own_name = _name_of(variable)
            yield (own_name if name is None else name, variable)


def _name_of(variable: Any) -> str:
    if not isinstance(variable, Variable):
        raise TypeError(f"Saver: expected variables, got {type(variable).__name__}. Tensors cannot be restored.")
    return variable.full_name


def _open(path: Path, folders: bool = False) -> CheckpointFile:
    """The checkpoint of a prefix or, if wanted, the latest one in a folder."""
    prefix = os.fspath(path)
    if folders and os.path.isdir(prefix):
        latest = latest_checkpoint(prefix)
        if latest is None:
            raise CheckpointNotFoundError(
                f"{prefix}: expected a folder with a checkpoint, but its 'checkpoint' file names none. "
                "Give the prefix that save returned."
            )
        prefix = latest
    for candidate in (prefix + _SUFFIX, prefix):
        if candidate.endswith(_SUFFIX) and os.path.isfile(candidate):
            return TensorFile(candidate)
    prefix = prefix.removesuffix(_INDEX_SUFFIX)
    if os.path.isfile(prefix + _INDEX_SUFFIX):
        return TensorFlowCheckpoint(prefix)
    raise CheckpointNotFoundError(
        f"{prefix}: expected a checkpoint, but there is no file {os.path.basename(prefix) + _SUFFIX!r}, "
        f"nor {os.path.basename(prefix) + _INDEX_SUFFIX!r} of TensorFlow. "
        "Give the prefix that save returned."
    )


# The state file is a protocol buffer in text form: `key: value` lines, strings in C notation.
_LINE = re.compile(
    r'\s*(?:(model_checkpoint_path|all_model_checkpoint_paths):\s*"((?:[^"\\]|\\.)*)"'
    r"|(?!model_checkpoint_path|all_model_checkpoint_paths)\w+:.*|)\s*"
)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)")
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def _read_state(folder: str) -> list[str]:
    """The prefixes in the state file of a folder, the latest last; none when there is no such file."""
    path = os.path.join(folder, _STATE_FILE)
    try:
        with open(path, "rb") as file:
            text = file.read().decode("latin-1")
    except FileNotFoundError:
        return []
    latest: list[str] = []
    others: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise FormatError(f"{path}: expected lines 'key: value', got {line[:80]!r} in line {number}.")
        if match[1] is not None:
            (latest if match[1] == "model_checkpoint_path" else others).append(_unquoted(match[2]))
    return [prefix for prefix in others if prefix not in latest] + latest[-1:]


def _note_latest(folder: str, prefix: str, leaving: list[str]) -> None:
    """Make `prefix` the latest of its folder's state file; `leaving` and checkpoints that are gone leave the list."""
    try:
        known = _read_state(folder)
    except FormatError:
        known = []
    paths = {p: os.path.join(folder, p) for p in known if p != prefix}
    others = [p for p, path in paths.items() if _exists(path) and os.path.abspath(path) not in leaving]
    lines = [f'model_checkpoint_path: "{_quoted(prefix)}"']
    lines += [f'all_model_checkpoint_paths: "{_quoted(p)}"' for p in (*others, prefix)]
    atomic_write(os.path.join(folder, _STATE_FILE), ["".join(line + "\n" for line in lines).encode("ascii")])


def _exists(prefix: str) -> bool:
    """Whether there is a checkpoint of either kind; TensorFlow's has an index file."""
    return os.path.isfile(prefix + _SUFFIX) or os.path.isfile(prefix + _INDEX_SUFFIX)


def _quoted(text: str) -> str:
    """C notation: ASCII stays, other bytes become octal."""
    plain = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
    return "".join(plain.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in os.fsencode(text))


def _unquoted(text: str) -> str:
    def one(match: re.Match[bytes]) -> bytes:
        code = match[1]
        if code[0] in b"01234567":
            return bytes([int(code, 8) & 255])
        if code[:1] == b"x" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        return _NAMED.get(code, code)

    return os.fsdecode(_ESCAPE.sub(one, text.encode("latin-1")))
