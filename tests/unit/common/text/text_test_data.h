// Where tests of the text stack find models and other data, and how they load them.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/gguf/gguf_file.h"
#include "common/text/tokenizer/tokenizer.h"
#include "common/text/tokenizer/tokenizer_config.h"
#include "common/text/tokenizer/tokenizer_files.h"

namespace baton {

inline std::string EnvironmentOr(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

// The first file with the extension in the folder of a model; empty when it has not been fetched.
inline std::string ModelFileForTest(const std::string& model, std::string_view extension) {
  const std::string root =
      EnvironmentOr("BATON_MODELS", EnvironmentOr("HOME", "") + "/.cache/baton/models");
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/" + model, error)) {
    if (entry.path().extension() == extension) return entry.path();
  }
  return "";
}

// A path in the shared test data, which may not exist.
inline std::string SharedDataForTest(const std::string& path) {
  return EnvironmentOr("BATON_TEST_DATA", BATON_SOURCE_DIR "/../shared") + "/" + path;
}

inline std::string ReadFileForTest(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// From the files of a model that lie in a folder.
inline absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizerFolderForTest(
    const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files[entry.path().filename()] = ReadFileForTest(entry.path());
  }
  TokenizerConfig config;
  if (const auto file = files.find("tokenizer_config.json"); file != files.end()) {
    absl::StatusOr<TokenizerConfig> parsed = ParseTokenizerConfig(file->second);
    if (!parsed.ok()) return parsed.status();
    config = *std::move(parsed);
  }
  const auto find = [&files](std::string_view name) -> const std::string* {
    const auto file = files.find(std::string(name));
    return file == files.end() ? nullptr : &file->second;
  };
  return LoadTokenizerFiles(find, config);
}

// From any kind of file, by its name, or from a folder.
inline absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizerForTest(
    const std::string& path) {
  if (std::filesystem::is_directory(path)) return LoadTokenizerFolderForTest(path);
  const std::string name = std::filesystem::path(path).filename();
  if (name.starts_with("tekken")) return Tokenizer::FromTekken(ReadFileForTest(path), {});
  if (name.find(".model") != std::string::npos) {
    return Tokenizer::FromSentencePiece(ReadFileForTest(path), {});
  }
  if (name.ends_with(".tiktoken")) return Tokenizer::FromTiktoken(ReadFileForTest(path), {});
  if (!path.ends_with(".gguf")) return Tokenizer::FromJson(ReadFileForTest(path), {});
  const absl::StatusOr<GgufFile> file = GgufFile::Open(path);
  if (!file.ok()) return file.status();
  return Tokenizer::FromGguf(file->metadata());
}

}  // namespace baton
