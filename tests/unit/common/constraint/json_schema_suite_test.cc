// The JSON-Schema-Test-Suite, draft 2020-12: of every schema that is accepted, no invalid instance
// may be admitted, in whatever layout and order of keys. What valid ones are rejected is counted.
// Reads BATON_TEST_DATA/json-schema-suite (default ../shared).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/json/json.h"
#include "tests/unit/common/constraint/constraint_rig.h"

namespace baton {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> SuiteFolder() {
  const char* data = std::getenv("BATON_TEST_DATA");
  const fs::path folder = fs::path(data != nullptr ? data : BATON_SOURCE_DIR "/../shared") /
                          "json-schema-suite/tests/draft2020-12";
  if (!fs::is_directory(folder)) return std::nullopt;
  return folder;
}

std::vector<fs::path> Files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

OrderedJson Read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  const auto json = ParseOrderedJson(text.str());
  BATON_CHECK(json.ok()) << path.string() << ": " << json.status().ToString();
  return *json;
}

// The instance as texts: compact, spaced, and with the keys of the outermost object in every order.
std::vector<std::string> Spellings(const OrderedJson& instance) {
  std::vector<std::string> texts = {SerializeJson(instance), instance.dump(2)};
  if (!instance.is_object() || instance.size() < 2 || instance.size() > 4) return texts;
  std::vector<std::string> keys;
  for (const auto& [key, value] : instance.items()) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  do {
    OrderedJson reordered = OrderedJson::object();
    for (const std::string& key : keys) reordered[key] = instance[key];
    texts.push_back(SerializeJson(reordered));
  } while (std::next_permutation(keys.begin(), keys.end()));
  return texts;
}

struct Tally {
  int schemas = 0;
  int refused = 0;
  int valid = 0;
  int rejected = 0;
  int invalid = 0;
  int admitted = 0;
};

void RunCase(ConstraintRig& rig, const OrderedJson& test_case, Tally& tally) {
  ++tally.schemas;
  const auto spec = ConstraintSpec::JsonSchema(SerializeJson(test_case["schema"]));
  const auto grammar = rig.Compile(spec);
  if (!grammar.ok()) {
    EXPECT_TRUE(absl::IsInvalidArgument(grammar.status())) << grammar.status();
    ++tally.refused;
    std::printf("  refuses: %s: %s\n", test_case["description"].get<std::string>().c_str(),
                std::string(grammar.status().message()).c_str());
    return;
  }
  for (const OrderedJson& test : test_case["tests"]) {
    const std::vector<std::string> texts = Spellings(test["data"]);
    const auto admitted = std::find_if(texts.begin(), texts.end(), [&](const std::string& text) {
      return ConstraintRig::AdmitsText(**grammar, text);
    });
    if (test["valid"].get<bool>()) {
      ++tally.valid;
      if (admitted != texts.end()) continue;
      ++tally.rejected;
      std::printf("  rejects a valid one: %s / %s\n",
                  test_case["description"].get<std::string>().c_str(),
                  test["description"].get<std::string>().c_str());
    } else {
      ++tally.invalid;
      if (admitted == texts.end()) continue;
      ++tally.admitted;
      ADD_FAILURE() << test_case["description"] << " / " << test["description"] << " admits "
                    << *admitted << " under " << spec.text;
    }
  }
}

TEST(JsonSchemaSuiteTest, NoInvalidInstanceIsAdmitted) {
  const std::optional<fs::path> folder = SuiteFolder();
  if (!folder.has_value()) GTEST_SKIP() << "no JSON-Schema-Test-Suite: set BATON_TEST_DATA";
  ConstraintRig rig;
  Tally tally;
  for (const fs::path& file : Files(*folder)) {
    for (const OrderedJson& test_case : Read(file)) RunCase(rig, test_case, tally);
  }
  std::printf("schemas %d, accepted %d, refused %d\n", tally.schemas, tally.schemas - tally.refused,
              tally.refused);
  std::printf("valid instances %d, rejected %d (%.1f %%)\n", tally.valid, tally.rejected,
              100.0 * tally.rejected / tally.valid);
  std::printf("invalid instances %d, admitted %d\n", tally.invalid, tally.admitted);
  EXPECT_GE(tally.schemas - tally.refused, 300);
  EXPECT_LE(tally.rejected, 55);
}

}  // namespace
}  // namespace baton
