#include "frontend/client/model_catalog.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/obs/log.h"

namespace baton::frontend {
namespace {

// One card may serve under two names, or with two lengths.
std::string KeyOf(const v1::ListModelsReply::Entry& entry) {
  return absl::StrCat(entry.model().name(), "/", entry.model().card_digest(), "/",
                      entry.model().max_model_len(), "/", entry.block_size());
}

}  // namespace

ModelCatalog::ModelCatalog(ModelSource& source, ModelOverrides overrides, Clock& clock)
    : source_(source),
      overrides_(std::move(overrides)),
      clock_(clock),
      view_(std::make_shared<const View>()) {}

bool ModelCatalog::Refresh() {
  const absl::StatusOr<v1::ListModelsReply> list = source_.ListModels();
  if (!list.ok()) {
    if (ready()) LogWarning("routers do not answer", {{"error", list.status()}});
    KeepLastModels();
    return false;
  }
  auto next = std::make_shared<View>();
  for (const v1::ListModelsReply::Entry& entry : list->models()) {
    std::shared_ptr<const ModelContext> model = ContextFor(entry);
    if (model == nullptr) continue;
    for (const std::string& name : model->served_names) next->by_name.emplace(name, model);
    next->models.push_back(std::move(model));
    next->ready |= entry.ready_workers() > 0;
  }
  if (next->models.empty()) {
    // All workers are lost, most likely for a moment: what they serve has not become unknown.
    if (ready()) LogWarning("routers list no model that can be used", {});
    KeepLastModels();
    return true;
  }
  ForgetUnlisted(*list);
  view_.Publish(std::move(next));
  return true;
}

void ModelCatalog::KeepLastModels() {
  auto kept = std::make_shared<View>(*view_.Load());
  kept->ready = false;
  view_.Publish(std::move(kept));
}

void ModelCatalog::ForgetUnlisted(const v1::ListModelsReply& list) {
  absl::flat_hash_set<std::string> listed;
  for (const v1::ListModelsReply::Entry& entry : list.models()) listed.insert(KeyOf(entry));
  absl::erase_if(by_digest_, [&](const auto& known) { return !listed.contains(known.first); });
  absl::erase_if(unusable_digests_, [&](const auto& key) { return !listed.contains(key); });
}

std::shared_ptr<const ModelContext> ModelCatalog::ContextFor(
    const v1::ListModelsReply::Entry& entry) {
  const std::string key = KeyOf(entry);
  const auto known = by_digest_.find(key);
  if (known != by_digest_.end()) return known->second;
  if (unusable_digests_.contains(key)) return nullptr;

  v1::FetchModelCardRequest request;
  request.set_model(entry.model().name());
  request.set_card_digest(entry.model().card_digest());
  const absl::StatusOr<ModelCard> card = source_.FetchModelCard(request);
  if (!card.ok()) {
    // The next refresh tries again: the worker may only just have left.
    LogWarning("model card cannot be fetched",
               {{"model", entry.model().name()}, {"error", card.status()}});
    return nullptr;
  }
  auto model = LoadModelContext(*card, entry, overrides_, UnixSeconds(clock_.WallNow()));
  if (!model.ok()) {
    LogError("model card cannot be used",
             {{"model", entry.model().name()}, {"error", model.status()}});
    unusable_digests_.insert(key);
    return nullptr;
  }
  LogInfo("model is served", {{"model", entry.model().name()},
                              {"max_model_len", (*model)->max_model_len},
                              {"vocab_size", (*model)->vocab_size}});
  by_digest_.emplace(key, *model);
  return *model;
}

absl::StatusOr<std::shared_ptr<const ModelContext>> ModelCatalog::Find(
    std::string_view name) const {
  const std::shared_ptr<const View> view = view_.Load();
  if (view->models.empty()) {
    return WithRetryAfter(Unavailable("The model is still loading."), std::chrono::seconds(1));
  }
  if (name.empty()) return view->models.front();
  const auto it = view->by_name.find(name);
  if (it != view->by_name.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& model : view->models) {
    names.insert(names.end(), model->served_names.begin(), model->served_names.end());
  }
  return WithField(
      NotFound(absl::StrCat("The model `", ToAbsl(name.substr(0, 200)),
                            "` does not exist. Valid aliases: ", absl::StrJoin(names, ", "), ".")),
      "model");
}

absl::StatusOr<std::shared_ptr<const ModelContext>> ModelCatalog::FindOrOnly(
    std::string_view name) const {
  auto found = Find(name);
  if (found.ok()) return found;
  const Models served = models();
  if (served.size() == 1) return served.front();
  return found.status();
}

ModelCatalog::Models ModelCatalog::models() const { return view_.Load()->models; }

bool ModelCatalog::ready() const { return view_.Load()->ready; }

}  // namespace baton::frontend
