#include "frontend/admission/api_key_auth.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::frontend {
namespace {

// vLLM's, and the routes that use a model beside them.
constexpr std::string_view kGuardedPrefixes[] = {
    "/v1",       "/v2",         "/inference",      "/cohere",
    "/tokenize", "/detokenize", "/tokenizer_info", "/apply-template",
    "/infill",   "/completion", "/chat",           "/models",
    "/responses"};

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool IsBearer(std::string_view scheme) {
  static constexpr std::string_view kBearer = "bearer";
  return scheme.size() == kBearer.size() &&
         std::equal(scheme.begin(), scheme.end(), kBearer.begin(),
                    [](char c, char lower) { return (c | 0x20) == lower; });
}

// What follows the scheme, or nullopt.
std::optional<std::string_view> BearerToken(std::optional<std::string_view> authorization) {
  if (!authorization.has_value()) return std::nullopt;
  const size_t space = authorization->find(' ');
  if (space == std::string_view::npos || !IsBearer(authorization->substr(0, space))) {
    return std::nullopt;
  }
  return authorization->substr(space + 1);
}

std::string_view TrimBlanks(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::array<uint8_t, 32>> ParseDigest(std::string_view hex) {
  std::array<uint8_t, 32> digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = HexDigit(hex[2 * i]);
    const int low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return digest;
}

}  // namespace

ApiKeyAuth::Digest ApiKeyAuth::DigestOf(std::string_view key) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  return digest;
}

absl::StatusOr<ApiKeyAuth> ApiKeyAuth::Create(const Options& options) {
  ApiKeyAuth auth(options.root_path);
  for (const std::string& key : options.keys) {
    if (key.empty()) return InvalidArgument("api keys: a key is empty");
    auth.digests_.push_back(DigestOf(key));
  }
  if (!options.key_hash_file.empty()) RETURN_IF_ERROR(auth.AddHashFile(options.key_hash_file));
  return auth;
}

absl::Status ApiKeyAuth::AddHashFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return NotFound(absl::StrCat("api keys: file=", path, " cannot be read"));
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string_view text = TrimBlanks(line);
    if (text.empty() || text.front() == '#') continue;
    const std::optional<Digest> digest = ParseDigest(text);
    if (!digest.has_value()) {
      return InvalidArgument(
          absl::StrCat("api keys: file=", path, " line=", number, " is not 64 hexadecimal digits"));
    }
    digests_.push_back(*digest);
  }
  if (file.bad()) return NotFound(absl::StrCat("api keys: file=", path, " cannot be read"));
  // A file that guards nothing would leave the API open without a word.
  if (digests_.empty()) {
    return InvalidArgument(absl::StrCat("api keys: file=", path, " has no digest"));
  }
  return absl::OkStatus();
}

bool ApiKeyAuth::IsGuarded(std::string_view path) const {
  if (!root_path_.empty() && StartsWith(path, root_path_)) path.remove_prefix(root_path_.size());
  if (path == "/v1/health") return false;  // a probe, as /health
  return std::any_of(std::begin(kGuardedPrefixes), std::end(kGuardedPrefixes),
                     [path](std::string_view prefix) { return StartsWith(path, prefix); });
}

std::optional<size_t> ApiKeyAuth::KeyIndex(std::optional<std::string_view> authorization) const {
  const std::optional<std::string_view> token = BearerToken(authorization);
  if (!token.has_value()) return std::nullopt;
  const Digest digest = DigestOf(*token);
  std::optional<size_t> found;
  for (size_t i = 0; i < digests_.size(); ++i) {
    if (CRYPTO_memcmp(digest.data(), digests_[i].data(), digest.size()) == 0) found = i;
  }
  return found;
}

bool ApiKeyAuth::Allows(std::string_view method, std::string_view path,
                        std::optional<std::string_view> authorization) const {
  if (digests_.empty() || method == "OPTIONS" || !IsGuarded(path)) return true;
  return KeyIndex(authorization).has_value();
}

}  // namespace baton::frontend
