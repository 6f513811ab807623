# llguidance::llguidance: the Rust crate in common/constraint/llguidance as a static library.
#
# Cargo builds it beside everything else, in a folder that all presets share: it is the same for
# sanitized builds, and compiled once.
set(BATON_CARGO_TARGET_DIR ${CMAKE_SOURCE_DIR}/build/cargo CACHE PATH "Where cargo builds")
set(BATON_CARGO_VERSION_MIN 1.87)

find_program(BATON_CARGO cargo)
set(cargo_version "none")
if(BATON_CARGO)
  execute_process(COMMAND ${BATON_CARGO} --version OUTPUT_VARIABLE cargo_output ERROR_QUIET)
  if(cargo_output MATCHES "^cargo ([0-9.]+)")
    set(cargo_version ${CMAKE_MATCH_1})
  endif()
endif()
if(cargo_version STREQUAL "none" OR cargo_version VERSION_LESS BATON_CARGO_VERSION_MIN)
  message(FATAL_ERROR "cargo ${BATON_CARGO_VERSION_MIN} or newer is needed, found ${cargo_version}: "
                      "run deploy/install-deps.sh, or install Rust with rustup")
endif()

set(crate ${CMAKE_SOURCE_DIR}/common/constraint/llguidance)
set(release ${BATON_CARGO_TARGET_DIR}/release)
file(MAKE_DIRECTORY ${release})
add_custom_command(
  OUTPUT ${release}/libbaton_llguidance.a ${release}/llguidance.h
  COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${BATON_CARGO_TARGET_DIR}
          ${BATON_CARGO} build --release --locked --quiet
  COMMAND ${CMAKE_COMMAND} -E touch ${release}/libbaton_llguidance.a ${release}/llguidance.h
  DEPENDS ${crate}/Cargo.toml ${crate}/Cargo.lock ${crate}/src/lib.rs
  WORKING_DIRECTORY ${crate}
  COMMENT "Building llguidance with cargo"
  VERBATIM)
add_custom_target(baton_llguidance_crate
  DEPENDS ${release}/libbaton_llguidance.a ${release}/llguidance.h)

add_library(llguidance::llguidance STATIC IMPORTED GLOBAL)
set_target_properties(llguidance::llguidance PROPERTIES
  IMPORTED_LOCATION ${release}/libbaton_llguidance.a
  INTERFACE_INCLUDE_DIRECTORIES ${release}
  INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m"
  INTERFACE_LINK_OPTIONS "-Wl,--gc-sections")
add_dependencies(llguidance::llguidance baton_llguidance_crate)
