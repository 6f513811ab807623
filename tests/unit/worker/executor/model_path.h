// Where real models lie for tests that need one.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace baton::worker {

// A model of deploy/models.sh under ${BATON_MODELS:-~/.cache/baton/models}, where that puts it;
// empty if it has not been fetched.
inline std::string RealModelPath(const std::string& name, const std::string& file) {
  const char* models = std::getenv("BATON_MODELS");
  const char* home = std::getenv("HOME");
  const std::filesystem::path root =
      models != nullptr ? models
                        : std::string(home != nullptr ? home : "") + "/.cache/baton/models";
  const std::filesystem::path path = root / name / file;
  return std::filesystem::exists(path) ? path.string() : "";
}

inline std::string SmolLm2Path() {
  return RealModelPath("smollm2-135m", "SmolLM2-135M-Instruct.Q4_1.gguf");
}

}  // namespace baton::worker

#define BATON_SKIP_WITHOUT_SMOLLM2(path)                                               \
  if ((path).empty()) {                                                                \
    GTEST_SKIP() << "SmolLM2 is not there: run deploy/models.sh smollm2-135m, or set " \
                    "BATON_MODELS to the folder that holds smollm2-135m/";             \
  }                                                                                    \
  static_assert(true)
