# OpenBLAS is not linked: it is copied beside liblayernet and opened at run time, on the first large GEMM.
if(NOT LAYERNET_WITH_BLAS MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "LAYERNET_WITH_BLAS: expected AUTO, ON or OFF, got '${LAYERNET_WITH_BLAS}'")
endif()
set(LAYERNET_BLAS_LIBRARY "")
if(LAYERNET_PYTHON AND NOT LAYERNET_WITH_BLAS STREQUAL "OFF")
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c
            "import scipy_openblas32 as b, os; print(os.path.join(b.get_lib_dir(), b.get_library(fullname=True)))"
    OUTPUT_VARIABLE LAYERNET_BLAS_LIBRARY OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(LAYERNET_BLAS_LIBRARY)
  message(STATUS "OpenBLAS: ${LAYERNET_BLAS_LIBRARY}")
  get_filename_component(LAYERNET_BLAS_FILE ${LAYERNET_BLAS_LIBRARY} NAME)
  install(PROGRAMS ${LAYERNET_BLAS_LIBRARY} DESTINATION layernet/lib)
  file(MAKE_DIRECTORY ${LAYERNET_PACKAGE_DIR}/lib)
  file(CREATE_LINK ${LAYERNET_BLAS_LIBRARY} ${LAYERNET_PACKAGE_DIR}/lib/${LAYERNET_BLAS_FILE} SYMBOLIC)
  if(SKBUILD)
    # One file with the texts for OpenBLAS, LAPACK and the GCC run-time libraries linked into it.
    layernet_install_licence(scipy-openblas32)
  endif()
elseif(LAYERNET_WITH_BLAS STREQUAL "ON")
  message(FATAL_ERROR "LAYERNET_WITH_BLAS=ON: the build Python has no package scipy_openblas32")
else()
  message(STATUS "OpenBLAS: none, own kernels only")
  file(REMOVE ${LAYERNET_PACKAGE_DIR}/lib/libscipy_openblas${CMAKE_SHARED_LIBRARY_SUFFIX})
endif()
