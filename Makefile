# Every target works on a fresh clone with CPython >= 3.10, pip, a C++17 compiler and make; nothing else is assumed.
# Virtual environments (.venv*) and build folders (build/) are private to the clone.
PYTHON ?= python3
PIP_INSTALL = -m pip install -q --disable-pip-version-check
SOURCES := CMakeLists.txt pyproject.toml LICENSE $(shell find csrc python ! -path '*/__pycache__*' ! -path 'csrc/examples/*' ! -name '* *')
CPP_TESTS := $(shell find tests/cpp -name '*.cpp' -o -name '*.h' 2>/dev/null)
PYTEST_FLAGS ?=
# ON in continuous integration only: another compiler has other warnings.
WERROR ?= OFF

.DELETE_ON_ERROR:
.PHONY: demo test wheel sdist-check asan tsan bench peers-test fuzz format lint typecheck docs-check stubs neon pythons numpy126 noblas clean

# $(call install,<venv>,<build folder>,<CMake options>,<more requirements>): a real PEP 517 build into a venv of its own
define install
	test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	SKBUILD_BUILD_DIR=$(2) SKBUILD_CMAKE_DEFINE="$(3)" $(1)/bin/python $(PIP_INSTALL) ".[test]" $(4)
	touch $@
endef

# $(call pytest,<venv>,<build folder>): the installed package is tested; python/ is not on the path
define pytest
	PYTHONPATH=tools LAYERNET_CPP_PROGRAMS=$(CURDIR)/$(2)/cpp_tests $(1)/bin/pytest -p conformance_summary $(PYTEST_FLAGS)
endef

.venv/installed: $(SOURCES) $(CPP_TESTS)
	$(call install,.venv,build/test,LAYERNET_TESTS=ON;LAYERNET_WERROR=$(WERROR))

.venv/extra-%: .venv/installed
	.venv/bin/python $(PIP_INSTALL) "layernet[$*]"
	touch $@

.venv-tools/installed: tools/requirements.txt
	test -x .venv-tools/bin/python || $(PYTHON) -m venv .venv-tools
	.venv-tools/bin/python $(PIP_INSTALL) -r tools/requirements.txt
	touch $@

demo: .venv/extra-demo
	cd .venv && bin/python -m layernet.demo

test: .venv/installed
	$(call pytest,.venv,build/test)

wheel: .venv-tools/installed
	rm -rf build/wheel dist
	.venv-tools/bin/python -m build --sdist --wheel --outdir build/wheel/raw .
	PATH="$(CURDIR)/.venv-tools/bin:$$PATH" auditwheel repair --strip -z 9 --wheel-dir dist build/wheel/raw/*.whl
	cp build/wheel/raw/*.tar.gz dist
	$(PYTHON) tools/check_wheel.py dist/*.whl

sdist-check: .venv-tools/installed
	rm -rf build/sdist
	.venv-tools/bin/python -m build --sdist --outdir build/sdist .
	$(PYTHON) tools/check_sdist.py build/sdist/*.tar.gz tests/test_tiny.py

# libasan alone aborts at the first C++ exception, because libstdc++ is loaded after it: preload both.
.venv-asan/installed: $(SOURCES) $(CPP_TESTS)
	$(call install,.venv-asan,build/asan,LAYERNET_TESTS=ON;LAYERNET_SANITIZE=address$(comma)undefined)
comma := ,
asan: .venv-asan/installed
	LD_PRELOAD="$$($${CXX:-c++} -print-file-name=libasan.so) $$($${CXX:-c++} -print-file-name=libstdc++.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	$(call pytest,.venv-asan,build/asan)

# $(call cmake,<build folder>,<CMake options>,<target>): the C++ part alone
define cmake
	.venv-tools/bin/cmake -S . -B $(1) -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/.venv-tools/bin/ninja \
	  -DLAYERNET_PYTHON=OFF -DLAYERNET_TESTS=ON $(2)
	.venv-tools/bin/cmake --build $(1) --target $(3)
endef

tsan: .venv-tools/installed
	$(call cmake,build/tsan,-DCMAKE_BUILD_TYPE=RelWithDebInfo -DLAYERNET_SANITIZE=thread,threads_check)
	TSAN_OPTIONS=halt_on_error=1 build/tsan/cpp_tests/threads_check

# Debian: g++-aarch64-linux-gnu, qemu-user
neon: .venv-tools/installed
	$(call cmake,build/neon,-DCMAKE_TOOLCHAIN_FILE=$(CURDIR)/csrc/cmake/aarch64-linux-gnu.cmake,kernel_tests)
	.venv-tools/bin/ctest --test-dir build/neon -L kernels --no-tests=error --output-on-failure

# The suite under every CPython from 3.10 to 3.13 that is present.
pythons:
	@set -e; found=$$(tools/find_pythons.sh); test -n "$$found"; for python in $$found; do \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); echo "== Python $$version"; \
	  $(MAKE) --no-print-directory PYTHON=$$python .venv-py$$version/tested; done

.venv-py%/tested: $(SOURCES) $(CPP_TESTS)
	$(call install,.venv-py$*,build/py$*,LAYERNET_TESTS=ON)
	$(call pytest,.venv-py$*,build/py$*)

.venv-numpy126/installed: $(SOURCES) $(CPP_TESTS)
	$(call install,.venv-numpy126,build/numpy126,LAYERNET_TESTS=ON,"numpy==1.26.*")
numpy126: .venv-numpy126/installed
	$(call pytest,.venv-numpy126,build/numpy126)

.venv-noblas/installed: $(SOURCES) $(CPP_TESTS)
	$(call install,.venv-noblas,build/noblas,LAYERNET_TESTS=ON;LAYERNET_WITH_BLAS=OFF)
noblas: .venv-noblas/installed
	$(call pytest,.venv-noblas,build/noblas)

.venv-bench/installed: benchmarks/requirements.txt $(SOURCES)
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	$(PYTHON) benchmarks/install_peers.py .venv-bench/bin/python
	SKBUILD_BUILD_DIR=build/bench .venv-bench/bin/python $(PIP_INSTALL) .
	touch $@
bench: .venv-bench/installed
	.venv-bench/bin/python benchmarks/run.py $(BENCH_FLAGS)

# Every library gives the same results on every workload of the benchmarks.
peers-test: .venv-bench/installed
	.venv-bench/bin/python benchmarks/run.py --check $(BENCH_FLAGS)

# Damaged checkpoints of TensorFlow, by a program in Python, and damaged predictor files, by libFuzzer: clang with its
# run-time library (Debian: clang). Each takes FUZZ_SECONDS.
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 1
fuzz: .venv-tools/installed .venv/installed
	mkdir -p build/fuzz/found
	.venv/bin/python tests/fuzz/fuzz_tensorflow.py --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED) --found build/fuzz/found
	$(call cmake,build/fuzz,-DCMAKE_CXX_COMPILER=clang++ -DLAYERNET_TESTS=OFF -DLAYERNET_WITH_BLAS=OFF -DLAYERNET_FUZZ=ON,fuzz_format)
	mkdir -p build/fuzz/corpus
	.venv-tools/bin/python tests/fuzz/seeds.py build/fuzz/seeds
	build/fuzz/fuzz_format -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 -max_len=16384 \
	  -artifact_prefix=build/fuzz/found/ -print_final_stats=1 build/fuzz/corpus build/fuzz/seeds

CXX_FILES = $(shell find csrc tests/cpp benchmarks \( -name '*.h' -o -name '*.cpp' -o -name '*.c' \) -not -path '*/build/*')
format: .venv/extra-dev
	.venv/bin/clang-format -i $(CXX_FILES)
	.venv/bin/ruff check --fix-only .
	.venv/bin/ruff format .

lint: .venv/extra-dev
	.venv/bin/clang-format --dry-run -Werror $(CXX_FILES)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/codespell

typecheck: .venv/extra-dev
	.venv/bin/mypy

docs-check: .venv/installed
	.venv/bin/python tools/docs_check.py

stubs: .venv/extra-dev
	.venv/bin/python tools/stubs.py python/layernet/_core.pyi

clean:
	rm -rf build dist .venv .venv-* .hypothesis .benchmarks
