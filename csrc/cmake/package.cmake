# What a C++ program needs to find the installed library: a CMake package and a pkg-config file, both relocatable.
include(CMakePackageConfigHelpers)
set(LAYERNET_LIBRARY_FILE ${CMAKE_SHARED_LIBRARY_PREFIX}layernet${CMAKE_SHARED_LIBRARY_SUFFIX})
set(LAYERNET_CMAKE_DIR ${LAYERNET_PACKAGE_DIR}/lib/cmake/layernet)
set(LAYERNET_PC ${LAYERNET_PACKAGE_DIR}/lib/pkgconfig/layernet.pc)
configure_file(${PROJECT_SOURCE_DIR}/csrc/cmake/layernet-config.cmake.in ${LAYERNET_CMAKE_DIR}/layernet-config.cmake @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/csrc/cmake/layernet.pc.in ${LAYERNET_PC} @ONLY)
# C++ classes cross this boundary, so another minor version is another ABI.
write_basic_package_version_file(${LAYERNET_CMAKE_DIR}/layernet-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${LAYERNET_CMAKE_DIR}/layernet-config.cmake ${LAYERNET_CMAKE_DIR}/layernet-config-version.cmake
        DESTINATION layernet/lib/cmake/layernet)
install(FILES ${LAYERNET_PC} DESTINATION layernet/lib/pkgconfig)
