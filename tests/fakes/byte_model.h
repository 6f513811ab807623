// A tiny model for tests of the frontend: every byte is a token, and three markers come after them.
//
//   std::shared_ptr<const ModelContext> model = MakeByteModel();
//   model->tokenizer->Encode("hi", {})   // {'h', 'i'} as ids 104, 105
//
// Threading: pure functions.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "baton/v1/router.pb.h"
#include "common/base/check.h"
#include "frontend/client/model_context_loader.h"

namespace baton::frontend {

inline constexpr TokenId kByteEos = 256;    // "<|end|>", special
inline constexpr TokenId kByteStart = 257;  // "<|start|>", special
inline constexpr TokenId kByteExtra = 258;  // "<|extra|>", special
inline constexpr uint32_t kByteVocab = 259;

// tokenizer.json with the 256 bytes in the byte-level alphabet, id = byte.
inline std::string ByteTokenizerJson() {
  std::string vocab;
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    const unsigned code = printable ? byte : next++;
    char entry[32];
    std::snprintf(entry, sizeof entry, "\"\\u%04x\":%u,", code, byte);
    vocab += entry;
  }
  vocab.pop_back();
  const auto added = [](TokenId id, std::string_view text) {
    return "{\"id\":" + std::to_string(id) + ",\"content\":\"" + std::string(text) +
           "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
           "\"special\":true}";
  };
  return "{\"version\":\"1.0\",\"added_tokens\":[" + added(kByteEos, "<|end|>") + "," +
         added(kByteStart, "<|start|>") + "," + added(kByteExtra, "<|extra|>") +
         "],\"normalizer\":null,"
         "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
         "\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":null,"
         "\"decoder\":{\"type\":\"ByteLevel\"},"
         "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
         "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,"
         "\"vocab\":{" +
         vocab + "},\"merges\":[]}}";
}

inline constexpr std::string_view kByteTemplate =
    "{% for m in messages %}<|start|>{{ m.role }}:{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant:{% endif %}";

inline v1::ListModelsReply::Entry ByteModelEntry(uint32_t max_model_len = 1024) {
  v1::ListModelsReply::Entry entry;
  entry.mutable_model()->set_name("byte-model");
  entry.mutable_model()->set_card_digest("digest");
  entry.mutable_model()->set_model_digest(42);
  entry.mutable_model()->set_max_model_len(max_model_len);
  entry.mutable_model()->set_vocab_size(kByteVocab);
  entry.set_ready_workers(1);
  entry.set_block_size(16);
  return entry;
}

inline ModelCard ByteModelCard() {
  ModelCard card;
  card.model = ByteModelEntry().model();
  card.card_digest = "digest";
  card.files["tokenizer.json"] = ByteTokenizerJson();
  card.files["tokenizer_config.json"] = R"({"eos_token":"<|end|>"})";
  card.files["chat_template.jinja"] = std::string(kByteTemplate);
  return card;
}

inline std::shared_ptr<const ModelContext> MakeByteModel(uint32_t max_model_len = 1024) {
  auto model = LoadModelContext(ByteModelCard(), ByteModelEntry(max_model_len), {}, 1'700'000'000);
  BATON_CHECK(model.ok()) << std::string(model.status().message());
  return *model;
}

inline std::vector<TokenId> BytesOf(std::string_view text) {
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  return ids;
}

}  // namespace baton::frontend
