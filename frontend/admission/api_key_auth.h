#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton::frontend {

// Who may call the API: requests that carry one of our keys as `Authorization: Bearer KEY`.
//
// As vLLM does it: guarded are the paths that begin with /v1, /v2, /inference or /cohere, and here
// also those that tokenise, apply templates, fill in and complete, and llama-server's names without
// /v1. /v1/health is open, as llama-server's is; OPTIONS is let through, the scheme's case does not
// matter, and without any key everything is open. Keys are kept as SHA-256 only, and all of them
// are compared, in constant time, whichever matches.
//
//   ASSIGN_OR_RETURN(ApiKeyAuth auth, ApiKeyAuth::Create({.keys = flags.api_key}));
//   if (!auth.Allows(method, path, FindHeader(headers, "authorization"))) return 401;
//
// Threading: immutable.
// Errors:    INVALID_ARGUMENT from Create for an empty key or a malformed line of the file (named
//            by number, never quoted); NOT_FOUND if the file cannot be read.
class ApiKeyAuth {
 public:
  struct Options {
    std::vector<std::string> keys{};
    // A file of hexadecimal SHA-256 digests of keys, one a line; empty lines and lines that begin
    // with # do not count. Empty: none.
    std::string key_hash_file{};
    // What a proxy in front of us puts before every path.
    std::string root_path{};
  };

  // The JSON body of a 401: a string under `error`, not an object.
  static constexpr std::string_view kUnauthorizedBody = R"({"error":"Unauthorized"})";

  static absl::StatusOr<ApiKeyAuth> Create(const Options& options);

  bool Allows(std::string_view method, std::string_view path,
              std::optional<std::string_view> authorization) const;

  // Which key a caller used, as a number that is stable while the process lives; for limits by
  // caller. Empty if none of ours.
  std::optional<size_t> KeyIndex(std::optional<std::string_view> authorization) const;

  bool is_open() const { return digests_.empty(); }

 private:
  using Digest = std::array<uint8_t, 32>;

  explicit ApiKeyAuth(std::string root_path) : root_path_(std::move(root_path)) {}

  static Digest DigestOf(std::string_view key);
  absl::Status AddHashFile(const std::string& path);
  bool IsGuarded(std::string_view path) const;

  std::string root_path_;
  std::vector<Digest> digests_;
};

}  // namespace baton::frontend
