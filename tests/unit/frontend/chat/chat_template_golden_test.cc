// Every template of the shared test data, and a table of small ones, against real Jinja2.
//
// The expectations are made by tests/golden/chat/make_golden.py; the templates themselves are read
// from BATON_TEST_DATA/templates (default ../shared/templates).
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "frontend/chat/chat_template.h"

namespace baton::frontend {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

fs::path GoldenFolder() { return fs::path(BATON_SOURCE_DIR) / "tests/golden/chat"; }

std::optional<fs::path> TemplateFolder() {
  const char* data = std::getenv("BATON_TEST_DATA");
  fs::path folder = data != nullptr ? fs::path(data) : fs::path(BATON_SOURCE_DIR) / "../shared";
  folder /= "templates";
  if (!fs::is_directory(folder)) return std::nullopt;
  return folder;
}

std::string Fnv1a(std::string_view text) {
  uint64_t value = 0xCBF29CE484222325u;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  char hex[17];
  std::snprintf(hex, sizeof(hex), "%016lx", static_cast<unsigned long>(value));
  return hex;
}

struct Expectation {
  std::string template_name;
  std::string context;
  bool ok;
  std::string detail;  // the hash of the text, or the class of the error
};

std::vector<Expectation> ReadExpectations() {
  std::ifstream file(GoldenFolder() / "renders.tsv");
  std::vector<Expectation> expectations;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    Expectation e;
    std::string outcome;
    std::getline(fields, e.template_name, '\t');
    std::getline(fields, e.context, '\t');
    std::getline(fields, outcome, '\t');
    std::getline(fields, e.detail, '\t');
    e.ok = outcome == "ok";
    expectations.push_back(e);
  }
  return expectations;
}

const ordered_json* Find(const ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

ChatTemplateInput InputOf(const ordered_json& document, const ordered_json& context) {
  ChatTemplateInput input;
  input.messages = Find(context, "messages");
  input.tools = Find(context, "tools");
  input.documents = Find(context, "documents");
  input.kwargs = Find(context, "kwargs");
  input.add_generation_prompt = context.value("add_generation_prompt", true);
  input.continue_final_message = context.value("continue_final_message", false);
  for (const auto& token : document["special_tokens"].items()) {
    input.special_tokens.emplace_back(token.key(), token.value().get<std::string>());
  }
  input.now = WallTime(std::chrono::seconds(document["now"].get<int64_t>()));
  return input;
}

// The class of the error that a status stands for, as Python names it.
bool IsErrorClass(const absl::Status& status, const std::string& name) {
  const std::string message(status.message());
  const bool located = message.rfind("chat template: line ", 0) == 0;
  if (name == "TemplateError") return !located;
  if (name == "ValueError" && !located) return true;  // of continue_final_message
  return located && message.find(": " + name + ": ") != std::string::npos;
}

class ChatTemplateGoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};

TEST_F(ChatTemplateGoldenTest, RendersEveryTemplateAsJinjaDoes) {
  const std::optional<fs::path> folder = TemplateFolder();
  if (!folder.has_value()) GTEST_SKIP() << "no templates: set BATON_TEST_DATA";
  const ordered_json document = ordered_json::parse(ReadFile(GoldenFolder() / "contexts.json"));
  std::map<std::string, absl::StatusOr<ChatTemplate>> compiled;
  int failures = 0;
  int renders = 0;
  for (const Expectation& expected : ReadExpectations()) {
    const std::string label = expected.template_name + " " + expected.context;
    auto entry = compiled.find(expected.template_name);
    if (entry == compiled.end()) {
      const fs::path path = *folder / expected.template_name;
      ASSERT_TRUE(fs::exists(path)) << path;
      entry = compiled.emplace(expected.template_name, ChatTemplate::Compile(ReadFile(path))).first;
      if (!entry->second.ok()) ADD_FAILURE() << label << ": " << entry->second.status();
    }
    if (!entry->second.ok()) continue;
    ++renders;
    const ordered_json& context = document["contexts"][expected.context];
    const absl::StatusOr<std::string> text =
        entry->second->Render(InputOf(document, context), RenderLimits());
    const bool equal = expected.ok ? text.ok() && Fnv1a(*text) == expected.detail
                                   : !text.ok() && IsErrorClass(text.status(), expected.detail);
    if (equal) continue;
    ++failures;
    ADD_FAILURE() << label << ": expected " << expected.detail << ", got "
                  << (text.ok() ? "text" : text.status().ToString());
    if (const char* dump = std::getenv("BATON_DUMP_RENDERS"); dump != nullptr && text.ok()) {
      std::string name = label;
      for (char& c : name) c = c == '/' || c == ' ' ? '_' : c;
      std::ofstream(fs::path(dump) / name) << *text;
    }
  }
  std::cout << renders << " renders compared, " << failures << " differ\n";
  EXPECT_GT(renders, 2000);
}

TEST_F(ChatTemplateGoldenTest, RendersSmallTemplatesAsJinjaDoes) {
  const ordered_json cases = ordered_json::parse(ReadFile(GoldenFolder() / "snippets.json"));
  const ordered_json messages = ordered_json::array();
  for (const ordered_json& item : cases) {
    const std::string source = item["template"];
    ChatTemplateInput input;
    input.messages = &messages;
    input.kwargs = Find(item, "variables");
    input.now = WallTime(std::chrono::seconds(1772701623));
    const absl::StatusOr<ChatTemplate> compiled = ChatTemplate::Compile(source);
    const bool expect_text = item.contains("output");
    if (!compiled.ok()) {
      EXPECT_FALSE(expect_text) << source << "\n" << compiled.status();
      continue;
    }
    const absl::StatusOr<std::string> text = compiled->Render(input, RenderLimits());
    if (expect_text) {
      const std::string output = item["output"];
      EXPECT_EQ(text.ok() ? *text : text.status().ToString(), output) << source;
    } else {
      const std::string error = item["error"];
      EXPECT_TRUE(!text.ok() && IsErrorClass(text.status(), error))
          << source << "\nexpected " << error << ", got "
          << (text.ok() ? *text : text.status().ToString());
    }
  }
}

}  // namespace
}  // namespace baton::frontend
