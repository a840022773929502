#!/bin/sh
# Prints one working interpreter per CPython version from 3.10 to 3.13, from PATH or from pyenv.
for minor in 10 11 12 13; do
  for candidate in python3.$minor "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.$minor.*/bin/python; do
    if "$candidate" -c "import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, $minor))" 2>/dev/null; then
      command -v "$candidate"
      break
    fi
  done
done
