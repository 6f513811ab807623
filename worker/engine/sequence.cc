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

Sequence::Sequence(SequenceId id_in, ActiveRequest& owner_in, BlockPool& pool, int32_t block_size)
    : id(id_in),
      owner(owner_in),
      choice(0),
      prompt_count(static_cast<int32_t>(owner_in.request.prompt.size()) -
                   owner_in.request.resumed_tokens),
      key(KeyOf(owner_in.request, 0)),
      tokens(owner_in.request.prompt),
      hashes(owner_in.request.block_hashes),
      table(pool, block_size),
      pending_forks(owner_in.request.choices - 1),
      sampler_state(owner_in.request.sampler_state) {
  BATON_CHECK(hashes.size() == tokens.size() / static_cast<size_t>(block_size))
      << "Sequence: hashes=" << hashes.size() << " tokens=" << tokens.size();
}

Sequence::Sequence(SequenceId id_in, const Sequence& parent, int32_t choice_in, BlockPool& pool)
    : id(id_in),
      owner(parent.owner),
      choice(choice_in),
      prompt_count(parent.prompt_count),
      key(KeyOf(parent.owner.request, choice_in)),
      state(State::kRunning),
      tokens(owner.request.prompt),
      hashes(owner.request.block_hashes),
      table(pool, parent.table.block_size()),
      computed(static_cast<int32_t>(owner.request.prompt.size())),
      published_(parent.published_),
      node_(parent.node_) {
  BATON_CHECK(parent.computed == computed) << "fork: computed=" << parent.computed;
  const int32_t full_blocks = computed / table.block_size();
  table.Adopt(parent.table.lease().Share(full_blocks));
  if (computed % table.block_size() != 0) {
    fork_source = parent.table.lease().ShareOne(full_blocks);
  }
}

bool Sequence::wants_scores() const {
  return owner.request.params.prompt_logprobs.has_value() && choice == 0 && scored < prompt_count;
}

int32_t Sequence::computable() const { return remaining() - (owner.held ? 1 : 0); }

void Sequence::Append(TokenId token) {
  tokens.push_back(token);
  const auto block_size = static_cast<size_t>(table.block_size());
  if (tokens.size() % block_size != 0) return;
  const BlockHash parent = hashes.empty() ? owner.request.chain_root : hashes.back();
  hashes.push_back(NextBlockHash(parent, std::span(tokens).last(block_size)));
}

void Sequence::Adopt(PrefixMatch match) {
  published_ = match.blocks.size();
  computed = published_ * table.block_size();
  node_ = match.node;
  table.Adopt(std::move(match.blocks));
}

void Sequence::Advance(int32_t count, PrefixCache& cache) {
  computed += count;
  const auto block_size = static_cast<size_t>(table.block_size());
  for (; (published_ + 1) * table.block_size() <= computed; ++published_) {
    if (node_.closed()) continue;
    const auto block = static_cast<size_t>(published_);
    node_ = cache.Publish(node_, hashes[block],
                          absl::MakeConstSpan(tokens).subspan(block * block_size, block_size),
                          table, published_);
  }
}

void Sequence::ReleaseBlocks() {
  fork_source.Reset();  // before the table, which holds its ancestors
  table.Clear();
  computed = 0;
  published_ = 0;
  node_ = {};
}

}  // namespace baton::worker
