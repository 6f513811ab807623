#include "worker/engine/sequence.h"

#include <cstddef>
#include <span>
#include <utility>

#include "common/base/check.h"
#include "common/kv/block_hash.h"

namespace baton::worker {
namespace {

SchedulingKey KeyOf(const GenerationRequest& request, int32_t choice) {
  return {.priority = request.priority, .arrival = request.key.value(), .choice = choice};
}

}  // namespace

Sequence::Sequence(SequenceId id_in, ActiveRequest& owner_in, KvTables tables_in)
    : id(id_in),
      owner(owner_in),
      choice(0),
      prompt_count(static_cast<int32_t>(owner_in.request.prompt.size()) -
                   owner_in.request.resumed_tokens),
      key(KeyOf(owner_in.request, 0)),
      tokens(owner_in.request.prompt),
      hashes(owner_in.request.block_hashes),
      tables(std::move(tables_in)),
      pending_forks(owner_in.request.choices - 1),
      sampler_state(owner_in.request.sampler_state) {
  BATON_CHECK(hashes.size() == tokens.size() / static_cast<size_t>(tables.block_size()))
      << "Sequence: hashes=" << hashes.size() << " tokens=" << tokens.size();
}

Sequence::Sequence(SequenceId id_in, const Sequence& parent, int32_t choice_in, KvTables tables_in)
    : id(id_in),
      owner(parent.owner),
      choice(choice_in),
      prompt_count(parent.prompt_count),
      key(KeyOf(parent.owner.request, choice_in)),
      state(State::kRunning),
      tokens(owner.request.prompt),
      hashes(owner.request.block_hashes),
      tables(std::move(tables_in)),
      computed(static_cast<int32_t>(owner.request.prompt.size())) {
  BATON_CHECK(parent.computed == computed) << "fork: computed=" << parent.computed;
  fork_source = tables.ForkFrom(parent.tables, computed);
}

bool Sequence::wants_scores() const {
  return owner.request.params.prompt_logprobs.has_value() && choice == 0 && scored < prompt_count;
}

int32_t Sequence::computable() const { return remaining() - (owner.held ? 1 : 0); }

void Sequence::Append(TokenId token) {
  tokens.push_back(token);
  const auto block_size = static_cast<size_t>(tables.block_size());
  if (tokens.size() % block_size != 0) return;
  const BlockHash parent = hashes.empty() ? owner.request.chain_root : hashes.back();
  hashes.push_back(NextBlockHash(parent, std::span(tokens).last(block_size)));
}

void Sequence::Adopt(PrefixMatch match) {
  computed = match.block_count * tables.block_size();
  tables.Adopt(std::move(match));
}

void Sequence::Advance(int32_t count, PrefixCache& cache) {
  computed += count;
  tables.Publish(cache, computed, tokens, hashes);
  tables.ReleaseUnseen(computed);
}

void Sequence::ReleaseBlocks() {
  fork_source.Reset();  // before the tables, which hold its ancestors
  tables.Clear();
  computed = 0;
}

}  // namespace baton::worker
