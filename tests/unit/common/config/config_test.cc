#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/config/config_source.h"
#include "common/config/edit_distance.h"
#include "common/config/option_table.h"

namespace baton {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

enum class Level { kLow, kHigh };

struct Options {
  std::string listen = "0.0.0.0:1";
  int max_model_len = 0;
  std::optional<double> temperature;
  bool strict = false;
  bool cache = true;
  Duration timeout = std::chrono::seconds(30);
  std::vector<std::string> workers;
  std::vector<std::string> keys;
  Level level = Level::kLow;
};

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() : table_("baton-test", "Tests.") {
    table_.Add({.name = "listen", .help = "Where to listen.", .value_name = "HOST:PORT"},
               options_.listen);
    table_.Add({.name = "max-model-len", .help = "Longest sequence."}, options_.max_model_len);
    table_.Add({.name = "temperature", .help = "Heat."}, options_.temperature);
    table_.Add({.name = "strict", .help = "Be strict."}, options_.strict);
    table_.Add({.name = "cache", .help = "Keep a cache."}, options_.cache);
    table_.Add({.name = "timeout", .help = "Patience."}, options_.timeout);
    table_.Add({.name = "workers", .help = "Peers.", .aliases = {"w", "worker-list"}},
               options_.workers);
    table_.Add({.name = "keys", .help = "Secrets.", .separator = '\n'}, options_.keys);
    table_.AddChoice({.name = "level", .help = "How much."}, options_.level,
                     {{"low", Level::kLow}, {"high", Level::kHigh}});
    table_.AllowPositional("MODEL", 1);
  }

  absl::StatusOr<LoadedConfig> Load(std::vector<std::string> arguments) {
    return LoadConfig(table_, arguments, [this](const std::string& name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional(found->second);
    });
  }

  // Expects an error whose message contains `part`.
  void ExpectError(std::vector<std::string> arguments, const std::string& part) {
    const absl::StatusOr<LoadedConfig> loaded = Load(std::move(arguments));
    ASSERT_FALSE(loaded.ok());
    EXPECT_THAT(std::string(loaded.status().message()), HasSubstr(part));
  }

  std::string WriteFile(const std::string& text) {
    const std::string path = testing::TempDir() + "/baton_config_test.yaml";
    std::ofstream(path) << text;
    return path;
  }

  Options options_;
  OptionTable table_;
  std::map<std::string, std::string> environment_;
};

TEST_F(ConfigTest, DefaultsStayWithoutSources) {
  ASSERT_TRUE(Load({}).ok());
  EXPECT_EQ(options_.listen, "0.0.0.0:1");
  EXPECT_FALSE(options_.temperature.has_value());
}

TEST_F(ConfigTest, FlagsInAllTheirForms) {
  const absl::StatusOr<LoadedConfig> loaded =
      Load({"--listen", "a:2", "--max_model_len=4096", "--strict", "--no-cache", "model",
            "--temperature", "-0.5", "-w", "x:1,y:2", "--worker-list=z:3", "--timeout=1.5s",
            "--level", "high"});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(options_.listen, "a:2");
  EXPECT_EQ(options_.max_model_len, 4096);
  EXPECT_TRUE(options_.strict);
  EXPECT_FALSE(options_.cache);
  EXPECT_EQ(options_.temperature, -0.5);
  EXPECT_THAT(options_.workers, ElementsAre("x:1", "y:2", "z:3"));
  EXPECT_EQ(options_.timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(options_.level, Level::kHigh);
  EXPECT_THAT(loaded->positional, ElementsAre("model"));
}

TEST_F(ConfigTest, FlagsOverEnvironmentOverFileOverDefaults) {
  const std::string path = WriteFile(
      "listen: file:1\nmax-model-len: 1\ntimeout: 250ms\nworkers: [f1, f2]\nstrict: true\n");
  environment_ = {{"BATON_MAX_MODEL_LEN", "2"},
                  {"BATON_LISTEN", "env:2"},
                  {"BATON_WORKERS", "e1"},
                  {"BATON_CONFIG", "/nonexistent"}};
  ASSERT_TRUE(Load({"--config", path, "--listen=flag:3"}).ok());
  EXPECT_EQ(options_.listen, "flag:3");
  EXPECT_EQ(options_.max_model_len, 2);
  EXPECT_THAT(options_.workers, ElementsAre("e1"));
  EXPECT_EQ(options_.timeout, std::chrono::milliseconds(250));
  EXPECT_TRUE(options_.strict);
}

TEST_F(ConfigTest, AnEmptyNameOfAFileIsNoFile) {
  environment_ = {{"BATON_CONFIG", ""}};
  EXPECT_TRUE(Load({}).ok());
}

TEST_F(ConfigTest, ARepeatableOptionTakesWordsUpToTheNextFlag) {
  const auto before = Load({"model", "-w", "a", "b,c", "--strict", "--keys", "k1", "k2"});
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_THAT(options_.workers, ElementsAre("a", "b", "c"));
  EXPECT_THAT(options_.keys, ElementsAre("k1", "k2"));
  EXPECT_THAT(before->positional, ElementsAre("model"));
  const auto after = Load({"--workers", "a", "b", "--", "model"});
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_THAT(options_.workers, ElementsAre("a", "b"));
  EXPECT_THAT(after->positional, ElementsAre("model"));
  // "=" gives one value; other options take one word.
  EXPECT_THAT(Load({"--workers=a", "model"})->positional, ElementsAre("model"));
  EXPECT_THAT(Load({"--listen", "a:1", "model"})->positional, ElementsAre("model"));
}

TEST_F(ConfigTest, ItemsMayHoldCommasWhereAnotherSeparatorIsSet) {
  ASSERT_TRUE(Load({"--keys", "a,b", "--keys=c,,"}).ok());
  EXPECT_THAT(options_.keys, ElementsAre("a,b", "c,,"));
  environment_["BATON_KEYS"] = "x,y\nz";
  ASSERT_TRUE(Load({}).ok());
  EXPECT_THAT(options_.keys, ElementsAre("x,y", "z"));
  environment_.clear();
  ASSERT_TRUE(Load({"--config", WriteFile("keys: ['a,b', c]\n")}).ok());
  EXPECT_THAT(options_.keys, ElementsAre("a,b", "c"));
}

TEST_F(ConfigTest, UnknownNamesComeWithASuggestion) {
  ExpectError({"--max-modle-len", "3"}, "did you mean 'max-model-len'?");
  ExpectError({"--confg", "3"}, "did you mean 'config'?");
  ExpectError({"--zzzzzzzz"}, "unknown option 'zzzzzzzz'");
  ExpectError({"--config", WriteFile("tiemout: 3s\n")}, "did you mean 'timeout'?");
  ExpectError({"--level", "hihg"}, "did you mean 'high'?");
}

TEST_F(ConfigTest, NumbersAndListsAsUsersOfVllmTypeThem) {
  ASSERT_TRUE(Load({"--max-model-len", "32k"}).ok());
  EXPECT_EQ(options_.max_model_len, 32'000);
  ASSERT_TRUE(Load({"--max-model-len", "32K", "--workers", R"(["a,b", "c"])"}).ok());
  EXPECT_EQ(options_.max_model_len, 32'768);
  EXPECT_THAT(options_.workers, ElementsAre("a,b", "c"));
  ExpectError({"--max-model-len", "9G"}, "number out of range");
  ExpectError({"--max-model-len", "k"}, "expected an integer");
  ExpectError({"--workers", "[a, {}]"}, "expected a list of plain values");
}

TEST_F(ConfigTest, BadValuesNameTheirSource) {
  ExpectError({"--max-model-len", "12x"}, "--max-model-len: bad value '12x': expected an integer");
  ExpectError({"--max-model-len", "99999999999"}, "number out of range");
  ExpectError({"--max-model-len"}, "needs a value");
  ExpectError({"--strict=perhaps"}, "expected true or false");
  ExpectError({"--timeout", "3 parsecs"}, "expected a duration");
  ExpectError({"--workers", "a,,b"}, "without empty items");
  ExpectError({"--no-listen"}, "unknown option 'no-listen'");
  ExpectError({"a", "b"}, "unexpected argument 'b'");
  environment_["BATON_TEMPERATURE"] = "hot";
  ExpectError({}, "environment: BATON_TEMPERATURE: bad value 'hot'");
}

TEST_F(ConfigTest, AMapInAFileIsTheJsonOfItsOption) {
  std::string json;
  OptionTable table("test", "Tests.");
  table.Add({.name = "json", .help = "JSON."}, json);
  const std::string path = WriteFile(
      "json:\n  a: 0.5\n  b: \"0.5\"\n  c: [x, true, null]\n  d: {e: 'q\"', f: '', 1: 1.}\n");
  const std::vector<std::string> arguments = {"--config", path};
  ASSERT_TRUE(LoadConfig(table, arguments, [](const std::string&) { return std::nullopt; }).ok());
  EXPECT_EQ(json, R"({"a":0.5,"b":"0.5","c":["x",true,null],"d":{"e":"q\"","f":"","1":"1."}})");
}

TEST_F(ConfigTest, BadFilesAreErrorsNotCrashes) {
  ExpectError({"--config", "/nonexistent.yaml"}, "cannot read /nonexistent.yaml");
  ExpectError({"--config", WriteFile("a: [1, 2\n")}, "baton_config_test.yaml:");
  ExpectError({"--config", WriteFile("- just\n- a list\n")}, "expected a map of options");
  ExpectError({"--config", WriteFile("listen: [a, b]\n")}, ":1: listen: expected one value");
  ExpectError({"--config", WriteFile("workers: [[a]]\n")}, "expected plain values");
  ASSERT_TRUE(Load({"--config", WriteFile("")}).ok());
}

TEST_F(ConfigTest, HelpAndVersionWinOverMissingThings) {
  EXPECT_EQ(Load({"--config", "/nonexistent", "--help"})->action, LoadedConfig::Action::kShowHelp);
  EXPECT_EQ(Load({"-h"})->action, LoadedConfig::Action::kShowHelp);
  EXPECT_EQ(Load({"--version"})->action, LoadedConfig::Action::kShowVersion);
  EXPECT_EQ(Load({"--", "--help"})->positional, std::vector<std::string>{"--help"});
}

TEST_F(ConfigTest, HelpTextShowsNamesTypesAndDefaults) {
  const std::string help = table_.HelpText();
  EXPECT_THAT(help, HasSubstr("Usage: baton-test [options] MODEL"));
  EXPECT_THAT(help, HasSubstr("--listen HOST:PORT"));
  EXPECT_THAT(help, HasSubstr("Where to listen. [0.0.0.0:1]"));
  EXPECT_THAT(help, HasSubstr("-w, --workers TEXT"));
  EXPECT_THAT(help, HasSubstr("May be repeated. Also --worker-list."));
  EXPECT_THAT(help, HasSubstr("--level low|high"));
  EXPECT_THAT(help, HasSubstr("[30s]"));
}

TEST(EditDistanceTest, CountsEditsAndSwaps) {
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("listen", "lisetn"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
  const std::vector<std::string> names = {"port", "host"};
  EXPECT_EQ(NearestName("prot", names), "port");
  EXPECT_EQ(NearestName("completely-else", names), "");
}

}  // namespace
}  // namespace baton
