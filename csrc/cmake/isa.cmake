# Instruction sets: layernet_add_kernels(<target>) compiles csrc/kernels/target_*.cpp once per instruction set of the
# platform, each set as one object library with its own flags, and links them and the baseline sources into <target>.
# Adding an instruction set: its flags here, its detection in dispatch.cpp, simd/vec_<isa>.h.

set(LAYERNET_KERNELS_DIR "${CMAKE_CURRENT_LIST_DIR}/../kernels")

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(LAYERNET_ISAS scalar avx2 avx512 avx512vnni amx)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(LAYERNET_ISAS scalar neon)
else()
  set(LAYERNET_ISAS scalar)
endif()

# For CPUs of before 2013: -O3 makes its products no faster, and the library 335 KB larger.
set(LAYERNET_ISA_FLAGS_scalar -O2)
set(LAYERNET_ISA_FLAGS_neon "")
set(LAYERNET_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(LAYERNET_ISA_FLAGS_avx512 ${LAYERNET_ISA_FLAGS_avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq
                              -mprefer-vector-width=512)
set(LAYERNET_ISA_FLAGS_avx512vnni ${LAYERNET_ISA_FLAGS_avx512} -mavx512vnni)
set(LAYERNET_ISA_FLAGS_amx ${LAYERNET_ISA_FLAGS_avx512vnni} -mamx-tile -mamx-bf16 -mamx-int8)
# The families in which an instruction set differs from another that it contains; unset: all of families.def.
set(LAYERNET_ISA_FAMILIES_avx512vnni gemm_dot)
set(LAYERNET_ISA_FAMILIES_amx gemm_amx)

# No contraction: a kernel says itself where a product and a sum are fused, so that results depend on the source only.
# Sanitized tiles are compiled at -O1: at -O3 gcc 12 takes five minutes for the matrix product of one instruction set.
if(LAYERNET_SANITIZE)
  set(LAYERNET_KERNEL_FLAGS -O1)
else()
  set(LAYERNET_KERNEL_FLAGS -O3)
endif()
list(APPEND LAYERNET_KERNEL_FLAGS -fno-math-errno -fno-trapping-math -ffp-contract=off -fno-exceptions -fno-tree-slp-vectorize)

# Hidden symbols and no LTO: no code compiled for one instruction set may leave its object library.
function(layernet_kernel_objects objects)
  add_library(${objects} OBJECT ${ARGN})
  target_include_directories(${objects} PRIVATE "${LAYERNET_KERNELS_DIR}/..")
  if(TARGET layernet_compiler)
    target_link_libraries(${objects} PRIVATE layernet_compiler)
  endif()
  target_compile_options(${objects} PRIVATE -fvisibility=hidden -fno-lto)
  set_target_properties(${objects} PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
                                              POSITION_INDEPENDENT_CODE ON INTERPROCEDURAL_OPTIMIZATION OFF)
endfunction()

function(layernet_add_kernels target)
  file(GLOB per_isa CONFIGURE_DEPENDS "${LAYERNET_KERNELS_DIR}/target_*.cpp")
  file(GLOB baseline CONFIGURE_DEPENDS "${LAYERNET_KERNELS_DIR}/*.cpp")
  list(REMOVE_ITEM baseline ${per_isa})
  # blas.cpp opens its library with these functions; they are here too so that kernel programs link without liblayernet.
  list(APPEND baseline "${LAYERNET_KERNELS_DIR}/../core/platform_posix.cpp")
  target_link_libraries(${target} PUBLIC ${CMAKE_DL_LIBS})

  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${LAYERNET_KERNELS_DIR}/families.def")
  file(STRINGS "${LAYERNET_KERNELS_DIR}/families.def" families REGEX "^LN_FAMILY")
  list(TRANSFORM families REPLACE "LN_FAMILY\\((.+)\\)" "\\1")

  foreach(isa IN LISTS LAYERNET_ISAS)
    set(objects ${target}_${isa})
    if(DEFINED LAYERNET_ISA_FAMILIES_${isa})
      set(sources ${LAYERNET_ISA_FAMILIES_${isa}})
    else()
      set(sources ${families})
    endif()
    list(TRANSFORM sources REPLACE "(.+)" "${LAYERNET_KERNELS_DIR}/target_\\1.cpp")
    layernet_kernel_objects(${objects} ${sources})
    target_compile_definitions(${objects} PRIVATE LN_TARGET=${isa})
    target_compile_options(${objects} PRIVATE ${LAYERNET_KERNEL_FLAGS} ${LAYERNET_ISA_FLAGS_${isa}})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()

  set(objects ${target}_baseline)
  layernet_kernel_objects(${objects} ${baseline})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
endfunction()
