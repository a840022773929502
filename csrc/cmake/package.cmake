# What a C++ program needs to find the installed library: a CMake package and a pkg-config file, both relocatable.
include(CMakePackageConfigHelpers)
set(LAYERNET_LIBRARY_FILE ${CMAKE_SHARED_LIBRARY_PREFIX}layernet${CMAKE_SHARED_LIBRARY_SUFFIX})
configure_file(${PROJECT_SOURCE_DIR}/csrc/cmake/layernet-config.cmake.in ${LAYERNET_GENERATED_DIR}/layernet-config.cmake @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/csrc/cmake/layernet.pc.in ${LAYERNET_GENERATED_DIR}/layernet.pc @ONLY)
# C++ classes cross this boundary, so another minor version is another ABI.
write_basic_package_version_file(${LAYERNET_GENERATED_DIR}/layernet-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${LAYERNET_GENERATED_DIR}/layernet-config.cmake ${LAYERNET_GENERATED_DIR}/layernet-config-version.cmake
        DESTINATION layernet/lib/cmake/layernet)
install(FILES ${LAYERNET_GENERATED_DIR}/layernet.pc DESTINATION layernet/lib/pkgconfig)
