# One function per kind of target. A folder's CMakeLists.txt states what it has and what it may see.
include(CMakeParseArguments)

# Adds the listed folders of the current one that exist.
function(baton_add_folders)
  foreach(folder ${ARGN})
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()

# baton_library(NAME worker_kv HDRS … SRCS … DEPS … [PRIVATE_DEPS …] [COPTS …])
# Makes the target baton_<NAME> with the alias baton::<NAME>; without SRCS, a header-only one.
function(baton_library)
  cmake_parse_arguments(ARG "" "NAME" "HDRS;SRCS;DEPS;PRIVATE_DEPS;COPTS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "baton_library(${ARG_NAME}): unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  set(target baton_${ARG_NAME})
  if(ARG_SRCS)
    add_library(${target} STATIC ${ARG_SRCS} ${ARG_HDRS})
    target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${target} PUBLIC baton_flags ${ARG_DEPS}
                                    PRIVATE $<BUILD_INTERFACE:baton_warnings> ${ARG_PRIVATE_DEPS})
    target_compile_options(${target} PRIVATE ${ARG_COPTS})
  else()
    add_library(${target} INTERFACE ${ARG_HDRS})
    target_include_directories(${target} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${target} INTERFACE baton_flags ${ARG_DEPS})
  endif()
  add_library(baton::${ARG_NAME} ALIAS ${target})
endfunction()

# baton_executable(NAME baton-worker SRCS main.cc DEPS …), placed in bin/.
function(baton_executable)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SRCS})
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${ARG_NAME} PRIVATE baton_flags baton_warnings ${ARG_DEPS})
endfunction()

# baton_test(NAME x_test SRCS x_test.cc DEPS … [LABELS tsan] [TIMEOUT 60] [PROCESSORS 2]
#            [COMPUTES]), a gtest program.
# One whose threads wait for each other by spinning states how many processors it needs: beside
# other tests it would be slower by far. One that computes much to compare with is optimised, too.
# The label `unit`, `conformance`, `integration` or `tidy` comes from the folder under tests/.
function(baton_test)
  cmake_parse_arguments(ARG "COMPUTES" "NAME;TIMEOUT;PROCESSORS" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT ARG_PROCESSORS)
    set(ARG_PROCESSORS 1)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${ARG_NAME} ${ARG_SRCS})
  set_target_properties(${ARG_NAME} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${ARG_NAME} PRIVATE BATON_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                                 BATON_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_link_libraries(${ARG_NAME} PRIVATE baton_flags baton_warnings ${ARG_DEPS}
                                            GTest::gmock GTest::gtest_main)
  # Libraries are optimised, tests are not: their assertions were half of a sanitized build.
  if(NOT ARG_COMPUTES)
    target_compile_options(${ARG_NAME} PRIVATE $<$<CONFIG:Debug>:-O0>)
  endif()
  file(RELATIVE_PATH where ${CMAKE_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
  string(REGEX REPLACE "/.*" "" kind "${where}")
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
  set_tests_properties(${ARG_NAME} PROPERTIES
    TIMEOUT ${ARG_TIMEOUT} PROCESSORS ${ARG_PROCESSORS} LABELS "${kind};${ARG_LABELS}" WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()

# baton_benchmark(NAME x_bench SRCS x_bench.cc DEPS …), a Google Benchmark program in bin/.
function(baton_benchmark)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;DEPS" ${ARGN})
  if(NOT BATON_BENCHMARKS)
    return()
  endif()
  baton_executable(NAME ${ARG_NAME} SRCS ${ARG_SRCS} DEPS ${ARG_DEPS} benchmark::benchmark)
endfunction()

# baton_def_sources(OUT var DEF architectures.def MACRO BATON_ARCH)
# Turns each MACRO(name) line of a list file into the source <name>.cc of this folder.
function(baton_def_sources)
  cmake_parse_arguments(ARG "" "OUT;DEF;MACRO" "" ${ARGN})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_DEF})
  file(STRINGS ${ARG_DEF} lines REGEX "^${ARG_MACRO}\\(")
  set(sources)
  foreach(line ${lines})
    string(REGEX REPLACE "^${ARG_MACRO}\\(([a-z0-9_]+)\\).*" "\\1.cc" source "${line}")
    list(APPEND sources ${source})
  endforeach()
  set(${ARG_OUT} ${sources} PARENT_SCOPE)
endfunction()
