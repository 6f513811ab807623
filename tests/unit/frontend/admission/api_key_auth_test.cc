#include "frontend/admission/api_key_auth.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace baton::frontend {
namespace {

ApiKeyAuth Create(ApiKeyAuth::Options options) {
  absl::StatusOr<ApiKeyAuth> auth = ApiKeyAuth::Create(options);
  EXPECT_TRUE(auth.ok()) << auth.status();
  return *std::move(auth);
}

class HashFile {
 public:
  explicit HashFile(std::string_view text)
      : path_(std::filesystem::temp_directory_path() /
              ("baton_keys_" + std::to_string(::getpid()))) {
    std::ofstream(path_) << text;
  }
  ~HashFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(ApiKeyAuthTest, WithoutKeysEverythingIsOpen) {
  const ApiKeyAuth auth = Create({});
  EXPECT_TRUE(auth.is_open());
  EXPECT_TRUE(auth.Allows("POST", "/v1/chat/completions", std::nullopt));
}

TEST(ApiKeyAuthTest, AnyOfTheKeysOpensTheGuardedPaths) {
  const ApiKeyAuth auth = Create({.keys = {"one", "two"}});
  for (const char* path : {"/v1/models", "/v2/embed", "/inference/x", "/cohere/x", "/v1nowhere",
                           "/tokenize", "/detokenize", "/apply-template", "/infill", "/completion",
                           "/chat/completions", "/models", "/responses"}) {
    EXPECT_FALSE(auth.Allows("GET", path, std::nullopt)) << path;
    EXPECT_TRUE(auth.Allows("GET", path, "Bearer one")) << path;
    EXPECT_TRUE(auth.Allows("GET", path, "bEARER two")) << path;
    EXPECT_TRUE(auth.Allows("OPTIONS", path, std::nullopt)) << path;
  }
  for (const char* path : {"/health", "/v1/health", "/metrics", "/version", "/", "/x/v1"}) {
    EXPECT_TRUE(auth.Allows("GET", path, std::nullopt)) << path;
  }
}

TEST(ApiKeyAuthTest, RefusesWhatIsNotOneOfOurBearerTokens) {
  const ApiKeyAuth auth = Create({.keys = {"one", "two"}});
  for (const char* value : {"", "Bearer", "Bearer ", "Bearer  one", "Bearer one ", "Bearer three",
                            "Basic one", "one", "Bearerone", "Bearer one two", "Bearer ONE"}) {
    EXPECT_FALSE(auth.Allows("GET", "/v1/models", value)) << value;
  }
}

TEST(ApiKeyAuthTest, StripsTheRootPath) {
  const ApiKeyAuth auth = Create({.keys = {"one"}, .root_path = "/llm"});
  EXPECT_FALSE(auth.Allows("GET", "/llm/v1/models", std::nullopt));
  EXPECT_FALSE(auth.Allows("GET", "/v1/models", std::nullopt));
  EXPECT_TRUE(auth.Allows("GET", "/llm/health", std::nullopt));
}

TEST(ApiKeyAuthTest, ReadsDigestsFromAFile) {
  // SHA-256 of "abc", in two spellings of the digits.
  const HashFile file(
      "# keys\n\n  ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015aD\r\n");
  const ApiKeyAuth auth = Create({.keys = {"one"}, .key_hash_file = file.path()});
  EXPECT_TRUE(auth.Allows("GET", "/v1/models", "Bearer abc"));
  EXPECT_EQ(auth.KeyIndex("Bearer one"), 0u);
  EXPECT_EQ(auth.KeyIndex("Bearer abc"), 1u);
  EXPECT_EQ(auth.KeyIndex("Bearer abd"), std::nullopt);
}

TEST(ApiKeyAuthTest, ReportsWhatItCannotUse) {
  EXPECT_EQ(ApiKeyAuth::Create({.keys = {""}}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ApiKeyAuth::Create({.key_hash_file = "/no/such/file"}).status().code(),
            absl::StatusCode::kNotFound);
  const HashFile empty("# nothing\n");
  EXPECT_EQ(ApiKeyAuth::Create({.key_hash_file = empty.path()}).status().code(),
            absl::StatusCode::kInvalidArgument);
  const HashFile plain("# next line is a key in clear\nmy-secret-key\n");
  const absl::Status status = ApiKeyAuth::Create({.key_hash_file = plain.path()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("line=2"), std::string::npos);
  EXPECT_EQ(status.message().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace baton::frontend
