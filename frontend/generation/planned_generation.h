// From an HTTP request to a generation that could start at once: the body read and its model found,
// then the plan of its answer and what workers are asked. What answering a request and rendering it
// for another server have in common.
//
//   ASSIGN_OR_RETURN(UnderstoodRequest understood, ReadGeneration(context, endpoint, http, body));
//   ASSIGN_OR_RETURN(PlannedGeneration planned,
//                    PlanGeneration(context, api, http, std::move(understood)));
//   CheckPlanned(context, std::make_shared<PlannedGeneration>(std::move(planned)), done);
//
// Threading: on a handler's thread; plain data.
// Errors:    those of the parser and the rules, with the field; NOT_FOUND for a model that is not
//            served.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontend/generation/generation_plan.h"

namespace baton::frontend {

struct UnderstoodRequest {
  GenerationRequest request;
  std::shared_ptr<const ModelContext> model;
};

struct PlannedGeneration {
  GenerationRequest request;
  AnswerPlan plan;
  std::vector<GenerationSpec> specs;  // by prompt
};

// `body` has 64 bytes of room behind it.
absl::StatusOr<UnderstoodRequest> ReadGeneration(const ApiContext& context,
                                                 GenerationEndpoint endpoint,
                                                 const HttpRequest& http, std::string_view body);

// `other_chats`: of a batch, nothing but what their messages say.
absl::StatusOr<PlannedGeneration> PlanGeneration(const ApiContext& context,
                                                 const GenerationApi& api, const HttpRequest& http,
                                                 UnderstoodRequest understood,
                                                 const std::vector<ChatInput>& other_chats = {});

// Checks the constraint and puts it into the specifications; a refusal names the parameter that
// asked for it. `done` is called once, here or on a thread `grammar-N`.
void CheckPlanned(ApiContext& context, const std::shared_ptr<PlannedGeneration>& planned,
                  std::function<void(const absl::Status&)> done);

}  // namespace baton::frontend
