#include "worker/app.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/build_info.h"
#include "common/base/processor_count.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/concurrency/shutdown.h"
#include "common/config/listen_address.h"
#include "common/kv/block_hash.h"
#include "common/obs/log.h"
#include "worker/executor/warm_up.h"

namespace baton::worker {
namespace {

uint64_t RandomBits() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// "models/SmolLM2.gguf" and "models/SmolLM2/" are both served as "SmolLM2".
std::string NameFromPath(const std::string& path) {
  std::filesystem::path name = std::filesystem::path(path).lexically_normal();
  if (!name.has_filename()) name = name.parent_path();
  return (name.extension() == ".gguf" ? name.stem() : name.filename()).string();
}

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "worker";
}

absl::Status DrainingStatus() {
  return WithRetryAfter(Unavailable("the worker is draining"), std::chrono::seconds(1));
}

int32_t RequestsMax(const WorkerOptions& options) {
  return options.max_num_seqs + options.max_waiting_requests;
}

// Requests that wait for their constraints: the other half's places are for those without.
int32_t HeldRequestsMax(const WorkerOptions& options) {
  return std::max(1, RequestsMax(options) / 2);
}

}  // namespace

absl::StatusOr<std::unique_ptr<App>> App::Load(const WorkerOptions& options, Clock& clock,
                                               const Progress& progress) {
  RETURN_IF_ERROR(options.Validate());
  std::unique_ptr<App> app(new App(options, clock));
  RETURN_IF_ERROR(app->StartAdmin());
  RETURN_IF_ERROR(app->LoadWeights(progress));
  return app;
}

App::App(const WorkerOptions& options, Clock& clock)
    : options_(options), clock_(clock), lifecycle_(clock) {}

App::~App() = default;

absl::Status App::StartAdmin() {
  ASSIGN_OR_RETURN(ListenAddress admin,
                   ListenAddressFromFlags(options_.admin_listen, options_.admin_listen_fd));
  ASSIGN_OR_RETURN(ListenAddress listen,
                   ListenAddressFromFlags(options_.listen, options_.listen_fd));
  // A taken port is better known now than after the model has been loaded.
  if (listen.inherited_fd < 0) RETURN_IF_ERROR(ListenSocket::Open(listen).status());
  ASSIGN_OR_RETURN(admin_, AdminServer::Start({.listen = admin, .json_routes = {}}, lifecycle_,
                                              registry_, clock_));
  return absl::OkStatus();
}

absl::Status App::LoadWeights(const Progress& progress) {
  lifecycle_.SetState(LifecycleState::kLoading);
  LogInfo("model is loading", {{"path", options_.model}, {"admin_port", admin_port()}});
  LoadOptions load;
  load.path = options_.model;
  load.dtype = options_.dtype;
  load.quantization = options_.quantization;
  load.kv_cache_dtype = options_.kv_cache_dtype;
  load.max_model_len = options_.max_model_len;
  load.max_num_seqs = options_.max_num_seqs;
  load.max_num_batched_tokens = options_.max_num_batched_tokens;
  load.block_size = options_.block_size;
  load.kv_cache_memory_bytes = options_.kv_cache_memory_bytes;
  load.workers_on_host = options_.workers_on_host;
  load.threads = options_.threads;
  load.tensor_parallel_size = options_.tensor_parallel_size;
  load.progress = [this, &progress](uint64_t done, uint64_t total) {
    lifecycle_.SetProgress(
        {.phase = "weights", .detail = {}, .done_bytes = done, .total_bytes = total});
    if (progress) progress(done, total);
  };
  load.on_broken = [this](const absl::Status& reason) { OnBroken(reason); };
  ASSIGN_OR_RETURN(loaded_, LoadModel(load));
  lifecycle_.SetState(LifecycleState::kWarming);
  RETURN_IF_ERROR(WarmUp(*loaded_.executor));
  RETURN_IF_ERROR(MakeServedModel());
  ASSIGN_OR_RETURN(SchedulerConfig scheduler, MakeSchedulerConfig());
  const ExecutorInfo& info = loaded_.executor->info();
  metrics_.emplace(registry_, WorkerMetrics::Engine{.model_name = model_.names.front(),
                                                    .index = options_.engine_index,
                                                    .block_size = info.block_size,
                                                    .block_count = info.block_count,
                                                    .cache_dtype = loaded_.kv_cache_dtype});
  metrics_->SetLoad(loaded_.loaded_bytes, loaded_.weight_bytes, ToSeconds(loaded_.load_time));
  inference_metrics_.emplace(registry_);
  hub_.emplace(clock_, registry_);
  engine_.emplace(EngineLoop::Config{.scheduler = std::move(scheduler),
                                     .limits = {.max_requests = RequestsMax(options_),
                                                .max_held = HeldRequestsMax(options_),
                                                .max_prompt_tokens = options_.max_queued_tokens}},
                  *loaded_.executor, clock_, std::vector<EngineObserver*>{&*metrics_, &*hub_});
  if (options_.step_timeout > Duration::zero()) {
    watchdog_.emplace(*engine_, clock_, options_.step_timeout,
                      [this](const EngineStall& stall) { OnStall(stall); });
  }
  MakeConstraintCompiler();
  intake_.emplace(model_, *engine_, constraints_.has_value() ? &*constraints_ : nullptr);
  if (loaded_.left_aside_count > 0) {
    LogInfo(
        "this model also takes images, which Baton does not: its text part is served",
        {{"architecture", loaded_.architecture}, {"tensors_left_aside", loaded_.left_aside_count}});
  }
  LogInfo("model is loaded", {{"architecture", loaded_.architecture},
                              {"dtype", loaded_.dtype},
                              {"kv_cache_dtype", loaded_.kv_cache_dtype},
                              {"bytes", loaded_.loaded_bytes},
                              {"seconds", ToSeconds(loaded_.load_time)}});
  return absl::OkStatus();
}

absl::StatusOr<SchedulerConfig> App::MakeSchedulerConfig() const {
  SchedulerRegistry registry;
  RETURN_IF_ERROR(RegisterBuiltinSchedulers(registry));
  SchedulerConfig config;
  ASSIGN_OR_RETURN(config.policy, registry.Find(options_.scheduling_policy));
  const ExecutorInfo& info = loaded_.executor->info();
  config.block_size = info.block_size;
  config.block_count = info.block_count;
  config.kv_groups = info.kv_groups;
  config.prefix_key = RandomBits();
  config.max_model_len = loaded_.max_model_len;
  config.max_num_seqs = options_.max_num_seqs;
  config.max_num_batched_tokens = options_.max_num_batched_tokens;
  config.end_token_ids = loaded_.end_token_ids;
  RETURN_IF_ERROR(config.Validate());
  return config;
}

absl::Status App::MakeServedModel() {
  std::vector<ModelCard::File> files;
  for (ModelFile& file : loaded_.files) {
    files.push_back({std::move(file.name), std::move(file.bytes)});
  }
  card_.emplace(std::move(files));
  model_.names = options_.served_model_names;
  if (model_.names.empty()) model_.names.push_back(NameFromPath(options_.model));
  const ExecutorInfo& info = loaded_.executor->info();
  model_.digest = loaded_.digest;
  model_.vocab_size = info.vocab_size;
  model_.block_size = info.block_size;
  model_.max_model_len = loaded_.max_model_len;
  model_.logprobs_max = options_.max_logprobs < 0
                            ? info.vocab_size
                            : std::max(model_.logprobs_max, options_.max_logprobs);
  model_.seeds = std::make_shared<SeedSource>(options_.seed);
  model_.epoch = Epoch(RandomBits() | 1);  // never 0, which stands for any
  absl::StatusOr<std::unique_ptr<const Tokenizer>> tokenizer = card_->MakeTokenizer();
  if (tokenizer.ok()) {
    model_.tokenizer = *std::move(tokenizer);
  } else {
    LogWarning("text prompts are refused: no tokenizer", {{"status", tokenizer.status()}});
  }
  return absl::OkStatus();
}

void App::MakeConstraintCompiler() {
  if (model_.tokenizer == nullptr) return;
  std::vector<TokenId> ends = loaded_.end_token_ids;
  if (ends.empty() && model_.tokenizer->eos_id().has_value()) {
    ends.push_back(*model_.tokenizer->eos_id());
  }
  constraints_.emplace(
      *model_.tokenizer,
      ConstraintCompiler::Options{.vocabulary = {.size = static_cast<uint32_t>(model_.vocab_size),
                                                 .end_ids = std::move(ends)},
                                  .thread_count = std::clamp(UsableProcessorCount() / 4, 1, 8),
                                  .waiting_max = static_cast<size_t>(HeldRequestsMax(options_))});
}

void App::Describe(int port) {
  v1::WorkerDescription& description = model_.description;
  const ExecutorInfo& info = loaded_.executor->info();
  description.set_worker_id(options_.worker_id.empty() ? absl::StrCat(HostName(), ":", port)
                                                       : options_.worker_id);
  description.set_epoch(model_.epoch.value());
  description.set_role(options_.role);
  v1::ModelInfo& served = *description.mutable_model();
  served.set_name(model_.names.front());
  for (size_t i = 1; i < model_.names.size(); ++i) served.add_aliases(model_.names[i]);
  served.set_card_digest(card_->digest());
  served.set_model_digest(model_.digest);
  served.set_max_model_len(static_cast<uint32_t>(model_.max_model_len));
  served.set_vocab_size(static_cast<uint32_t>(model_.vocab_size));
  description.set_version(std::string(Version()));
  description.set_block_hash_scheme(std::string(kBlockHashScheme));
  description.set_block_size(static_cast<uint32_t>(info.block_size));
  description.set_block_count(static_cast<uint32_t>(info.block_count));
  description.set_kv_bytes_per_block(info.kv_bytes_per_block);
  description.set_kv_layout(info.kv_layout);
  for (const KvGroup& group : info.kv_groups) {
    v1::KvGroup& told = *description.add_kv_groups();
    told.set_window(static_cast<uint32_t>(group.window));
    told.set_parts(static_cast<uint32_t>(group.parts));
  }
  description.set_numerics_id(info.numerics_id);
  description.set_max_num_seqs(static_cast<uint32_t>(options_.max_num_seqs));
  description.set_max_num_batched_tokens(static_cast<uint32_t>(options_.max_num_batched_tokens));
  description.set_device(info.device);
  description.set_tensor_parallel_size(static_cast<uint32_t>(options_.tensor_parallel_size));
}

absl::Status App::Serve(TerminationSignals& signals) {
  signals_ = &signals;
  ASSIGN_OR_RETURN(ListenAddress listen,
                   ListenAddressFromFlags(options_.listen, options_.listen_fd));
  inference_.emplace(SessionStream::Context{.intake = *intake_,
                                            .engine = *engine_,
                                            .clock = clock_,
                                            .epoch = model_.epoch,
                                            .metrics = *inference_metrics_});
  worker_service_.emplace(model_, *card_, *hub_, *engine_, clock_, [this] { BeginDrain(); });
  // The port is part of the description, which the first caller may ask for.
  ASSIGN_OR_RETURN(const ListenSocket socket, ListenSocket::Open(listen));
  Describe(socket.port());
  hub_->Begin(model_.description, *engine_);
  ListenAddress adopted;
  adopted.inherited_fd = fcntl(socket.fd(), F_DUPFD_CLOEXEC, 0);
  ASSIGN_OR_RETURN(rpc_server_,
                   RpcServer::Start({.listen = adopted}, {&*inference_, &*worker_service_}));
  rpc_server_->SetServing(true);
  if (constraints_.has_value()) constraints_->WarmUp();
  lifecycle_.SetState(LifecycleState::kReady);
  LogInfo("worker serves", {{"worker", model_.description.worker_id()},
                            {"model", model_.names.front()},
                            {"port", port()},
                            {"blocks", model_.description.block_count()},
                            {"max_model_len", model_.max_model_len},
                            {"numerics", model_.description.numerics_id()}});
  return absl::OkStatus();
}

void App::OnBroken(const absl::Status& reason) {
  LogError("the executor is broken: the worker ends", {{"status", reason}});
  broken_ = true;
  lifecycle_.SetState(LifecycleState::kWedged);
  if (TerminationSignals* signals = signals_) signals->Trigger();
}

void App::OnStall(const EngineStall& stall) {
  lifecycle_.SetState(LifecycleState::kWedged);
  LogError("the engine stands still: the worker ends", {{"seconds", ToSeconds(stall.since)},
                                                        {"requests", stall.requests},
                                                        {"turns", stall.turn_count}});
  FlushLog();
  std::_Exit(kExitStuck);
}

void App::BeginDrain() {
  lifecycle_.SetState(LifecycleState::kDraining);
  rpc_server_->SetServing(false);
  engine_->StopAdmission(DrainingStatus());
  hub_->Drain("the worker is draining");
}

bool App::Stop() {
  using std::chrono::seconds;
  Shutdown shutdown(clock_, [](const Shutdown::StageReport& report) {
    LogInfo("shutdown stage", {{"stage", report.name},
                               {"ms", ToMilliseconds(report.elapsed)},
                               {"overran", report.overran()}});
  });
  shutdown.AddStage("readiness", seconds(1), [this](MonotonicTime) {
    if (!broken_) lifecycle_.SetState(LifecycleState::kDraining);
    rpc_server_->SetServing(false);
  });
  shutdown.AddStage("refuse", seconds(1),
                    [this](MonotonicTime) { engine_->StopAdmission(DrainingStatus()); });
  shutdown.AddStage("tell watchers", seconds(1),
                    [this](MonotonicTime) { hub_->Drain("the worker is draining"); });
  shutdown.AddStage("drain", options_.drain_timeout + seconds(1), [this](MonotonicTime deadline) {
    if (engine_->WaitUntilIdle(deadline - seconds(1))) return;
    LogWarning("requests are cut off", {{"count", engine_->alive_count()}});
  });
  shutdown.AddStage("cancel", seconds(5), [this](MonotonicTime deadline) {
    engine_->CancelAll(Unavailable("the worker is shutting down"));
    if (!engine_->WaitUntilIdle(deadline)) LogWarning("requests are stuck");
  });
  shutdown.AddStage("engine", seconds(10), [this](MonotonicTime) {
    intake_->Stop();
    if (constraints_.has_value()) constraints_->Stop();
    engine_->Stop();
  });
  shutdown.AddStage("executor", seconds(5), [this](MonotonicTime) {
    watchdog_.reset();
    loaded_.executor.reset();
  });
  shutdown.AddStage("server", seconds(5), [this](MonotonicTime deadline) {
    worker_service_->Stop();
    hub_->Stop();
    rpc_server_->Shutdown(deadline - seconds(1));
  });
  shutdown.AddStage("admin", seconds(3), [this](MonotonicTime) {
    lifecycle_.SetState(LifecycleState::kStopped);
    admin_.reset();
  });
  return shutdown.Run() && !broken_;
}

}  // namespace baton::worker
