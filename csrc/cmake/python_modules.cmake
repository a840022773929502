# The two extension modules: _core (pybind11) and _predict (Cython). Both find liblayernet in lib/ beside them.
include(licences)
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module NumPy)

# The build Python is asked where its packages are, so that plain CMake and PEP 517 builds find the same ones.
execute_process(COMMAND ${Python_EXECUTABLE} -m pybind11 --cmakedir OUTPUT_VARIABLE LAYERNET_PYBIND11_DIR
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(PYBIND11_FINDPYTHON ON)
find_package(pybind11 3.0.2 CONFIG REQUIRED PATHS ${LAYERNET_PYBIND11_DIR} NO_DEFAULT_PATH)

function(layernet_module target)
  target_link_libraries(${target} PRIVATE layernet)
  set_target_properties(
    ${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${LAYERNET_PACKAGE_DIR} BUILD_WITH_INSTALL_RPATH ON
                         INSTALL_RPATH ${LAYERNET_ORIGIN}/lib)
  install(TARGETS ${target} LIBRARY DESTINATION layernet)
endfunction()

file(GLOB LAYERNET_BINDINGS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/csrc/bindings/*.cpp)
pybind11_add_module(_core MODULE NO_EXTRAS ${LAYERNET_BINDINGS})
target_compile_options(_core PRIVATE $<$<CONFIG:Release>:-O2>)  # as the library: a smaller wheel, and no slower
layernet_module(_core)

set(pyx ${PROJECT_SOURCE_DIR}/python/layernet/_predict.pyx)
set(generated ${LAYERNET_GENERATED_DIR}/_predict.cpp)
file(GLOB LAYERNET_PXD CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/layernet/*.pxd)
add_custom_command(
  OUTPUT ${generated}
  COMMAND ${Python_EXECUTABLE} -m cython -3 --cplus --module-name layernet._predict ${pyx} -o ${generated}
  DEPENDS ${pyx} ${LAYERNET_PXD}
  VERBATIM)
Python_add_library(_predict MODULE WITH_SOABI ${generated})
target_link_libraries(_predict PRIVATE Python::NumPy)
target_compile_definitions(_predict PRIVATE NPY_NO_DEPRECATED_API=NPY_2_0_API_VERSION)
# Cython's output is not ours to mend.
target_compile_options(_predict PRIVATE -w)
layernet_module(_predict)

if(NOT SKBUILD)
  # `PYTHONPATH=<build folder>` then imports the sources in python/layernet with the modules built here, headers included.
  set(link_package ${PROJECT_SOURCE_DIR}/csrc/cmake/link_package.cmake)
  add_custom_target(
    dev ALL
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR}/python/layernet -DTARGET=${LAYERNET_PACKAGE_DIR} -P ${link_package}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR}/csrc/include/layernet
            -DTARGET=${LAYERNET_PACKAGE_DIR}/include/layernet -P ${link_package}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${LAYERNET_GENERATED_DIR}/layernet -DTARGET=${LAYERNET_PACKAGE_DIR}/include/layernet
            -P ${link_package}
    VERBATIM)
  add_dependencies(dev _core _predict)
endif()
if(SKBUILD)
  # pybind11's code is compiled into _core; its licence asks for its text beside the binary.
  layernet_install_licence(pybind11)
endif()
