// Where real models lie for tests that need one.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace baton::worker {

// SmolLM2 under ${BATON_MODELS:-~/.cache/baton/models}, where deploy/models.sh puts it; empty if it
// has not been fetched.
inline std::string SmolLm2Path() {
  const char* models = std::getenv("BATON_MODELS");
  const char* home = std::getenv("HOME");
  const std::filesystem::path root =
      models != nullptr ? models
                        : std::string(home != nullptr ? home : "") + "/.cache/baton/models";
  const std::filesystem::path path = root / "smollm2-135m" / "SmolLM2-135M-Instruct.Q4_1.gguf";
  return std::filesystem::exists(path) ? path.string() : "";
}

}  // namespace baton::worker

#define BATON_SKIP_WITHOUT_SMOLLM2(path)                                               \
  if ((path).empty()) {                                                                \
    GTEST_SKIP() << "SmolLM2 is not there: run deploy/models.sh smollm2-135m, or set " \
                    "BATON_MODELS to the folder that holds smollm2-135m/";             \
  }                                                                                    \
  static_assert(true)
