// Trains one network on some examples of a StorySet.
#pragma once

#include <vector>

#include "session.hpp"

namespace memn2n {

struct Sums {
  Result result;
  int64_t questions = 0;
};

class Trainer {
 public:
  Trainer(const Network& network, const Kernel& kernel, const Stories& stories, std::vector<int64_t> examples,
          const Settings& settings, uint64_t seed, std::vector<int32_t> group = {});

  // Trains for an epoch, up to the first loss that is not finite. supervision is the weight of the loss of the
  // attention on supporting facts. If it is above 0, the stories must have them. renamings, if it is not null, has the
  // ids of a Renaming for each batch. order, if it is not empty, has the examples of all batches; else they are drawn.
  Sums epoch(float rate, bool linear, float supervision, const int32_t* renamings = nullptr,
             std::vector<int64_t> order = {});
  // The number of batches of an epoch, and that of groups of examples that are renamed alike.
  int64_t batches() const;
  int groups() const { return groups_; }
  int batch_size() const { return settings_.batch_size; }
  // Trains on one batch. The network does not change if the loss is not finite.
  Result step(const int64_t* examples, int n, float rate, bool linear, float supervision,
              const int32_t* renamings = nullptr);
  // The layout of a batch, with noise.
  const Layout& draw(const int64_t* examples, int n, bool supervised);

 private:
  Session session_;
  const Stories stories_;
  const std::vector<int64_t> examples_;
  const Settings settings_;
  Random random_;
  const std::vector<int32_t> group_;  // (example of the stories), or empty if there is one group
  int groups_ = 1;
};

}  // namespace memn2n
