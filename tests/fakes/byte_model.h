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
#include "tests/fakes/byte_tokenizer.h"

namespace baton::frontend {

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
