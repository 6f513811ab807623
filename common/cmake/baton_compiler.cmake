# Language level, warnings, sanitizers, and the tools that make builds faster when they are there.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")  # sanitized builds: fast enough to run real models

find_program(BATON_CCACHE ccache)
if(BATON_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BATON_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${BATON_CCACHE})
endif()
find_program(BATON_MOLD mold)
if(BATON_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Flags of our own code; generated code and third-party headers do not get the warnings.
add_library(baton_flags INTERFACE)
target_compile_options(baton_flags INTERFACE -fno-omit-frame-pointer)
add_library(baton_warnings INTERFACE)
target_compile_options(baton_warnings INTERFACE -Wall -Wextra -Werror -Wconversion)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(baton_warnings INTERFACE -Wthread-safety)
endif()
target_compile_definitions(baton_flags INTERFACE $<$<CONFIG:Debug>:BATON_DEBUG=1>)

if(BATON_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(BATON_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(NOT BATON_SANITIZER STREQUAL "")
  message(FATAL_ERROR "BATON_SANITIZER must be empty, address or thread: ${BATON_SANITIZER}")
endif()

# Fuzzers that learn: every block of code calls tests/fuzz/feedback.cc.
if(BATON_FUZZ_FEEDBACK)
  add_compile_options(-fsanitize-coverage=trace-pc)
endif()
