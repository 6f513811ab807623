// The models that can be asked for, by every name they are served under.
//
// Refresh asks the routers for the list and fetches the cards it has not seen, by digest; requests
// read an immutable snapshot and never wait for it.
//
//   ModelCatalog catalog(router_client, overrides, clock);
//   PeriodicTask task("models", clock, period, [&] { catalog.Refresh(); });
//   ASSIGN_OR_RETURN(std::shared_ptr<const ModelContext> model, catalog.Find(request.model));
//
// Threading: thread-safe; Refresh on one thread of our own, because it waits for answers.
// Ownership: contexts are shared with the requests that use them.
// Errors:    from Find: NOT_FOUND (field "model") for an unknown name, UNAVAILABLE with a retry
// time
//            while no model is known. A card that cannot be used is logged once and left out.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/strings.h"
#include "common/concurrency/snapshot.h"
#include "frontend/client/model_context.h"
#include "frontend/client/model_context_loader.h"
#include "frontend/client/model_source.h"

namespace baton::frontend {

class ModelCatalog {
 public:
  using Models = std::vector<std::shared_ptr<const ModelContext>>;

  ModelCatalog(ModelSource& source, ModelOverrides overrides, Clock& clock);

  // Asks once. False when the routers did not answer. Then, and while they list no model that can
  // be used, what was known is kept, but not ready.
  bool Refresh();

  // An empty name is the first model's.
  absl::StatusOr<std::shared_ptr<const ModelContext>> Find(std::string_view name) const;

  // The same, for an API whose clients may call the model what they like: where only one is served,
  // it is meant by any name.
  absl::StatusOr<std::shared_ptr<const ModelContext>> FindOrOnly(std::string_view name) const;

  // In the order of the routers' list.
  Models models() const;

  // At least one model is known and the last refresh saw a worker ready for it.
  bool ready() const;

 private:
  struct View {
    Models models;
    absl::flat_hash_map<std::string, std::shared_ptr<const ModelContext>, StringHash, StringEqual>
        by_name;
    bool ready = false;
  };

  std::shared_ptr<const ModelContext> ContextFor(const v1::ListModelsReply::Entry& entry);
  void KeepLastModels();
  void ForgetUnlisted(const v1::ListModelsReply& list);

  ModelSource& source_;
  const ModelOverrides overrides_;
  Clock& clock_;
  Snapshot<View> view_;

  // Of the refreshing thread.
  absl::flat_hash_map<std::string, std::shared_ptr<const ModelContext>> by_digest_;
  absl::flat_hash_set<std::string> unusable_digests_;
};

}  // namespace baton::frontend
