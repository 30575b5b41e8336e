#include "trainer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace memn2n {

Trainer::Trainer(const Network& network, const Kernel& kernel, const Stories& stories, std::vector<int64_t> examples,
                 const Settings& settings, uint64_t seed, std::vector<int32_t> group)
    : session_(network, kernel), stories_(stories), examples_(std::move(examples)), settings_(settings), random_(seed),
      group_(std::move(group)) {
  for (const int32_t one : group_) groups_ = std::max(groups_, one + 1);
}

const Layout& Trainer::draw(const int64_t* examples, int n, bool supervised) {
  session_.lay_out(stories_, examples, n, supervised);
  session_.add_noise(settings_, random_);
  return session_.layout();
}

Result Trainer::step(const int64_t* examples, int n, float rate, bool linear, float supervision,
                     const int32_t* renamings) {
  const Renaming renaming{renamings, group_.data(), groups_};
  draw(examples, n, !linear && supervision > 0);
  const Result result =
      session_.run(stories_, examples, n, linear, true, nullptr, supervision, settings_.unknown_rate, &random_,
                   renamings ? &renaming : nullptr);
  if (std::isfinite(result.loss)) session_.update(settings_, rate);
  return result;
}

int64_t Trainer::batches() const {
  const int64_t n = static_cast<int64_t>(examples_.size()), size = settings_.batch_size;
  return settings_.replacement ? std::max<int64_t>(n / size, 1) : (n + size - 1) / size;
}

Sums Trainer::epoch(float rate, bool linear, float supervision, const int32_t* renamings, std::vector<int64_t> order) {
  Sums sums;
  const bool drawn = order.empty(), replacement = drawn && settings_.replacement;
  if (drawn) order = examples_;
  const int64_t n = static_cast<int64_t>(order.size()), size = std::min<int64_t>(settings_.batch_size, n);
  if (drawn && !replacement)
    for (int64_t i = n - 1; i > 0; --i) std::swap(order[i], order[random_.below(i + 1)]);
  const int64_t number = drawn ? batches() : (n + size - 1) / size;
  for (int64_t b = 0; b < number; ++b) {
    int64_t* batch = order.data() + (replacement ? 0 : b * size);
    const int64_t here = replacement ? size : std::min(size, n - b * size);
    if (replacement)
      for (int64_t i = 0; i < here; ++i) batch[i] = examples_[random_.below(n)];
    const int32_t* own = renamings ? renamings + b * groups_ * session_.network().vocabulary : nullptr;
    const Result result = step(batch, static_cast<int>(here), rate, linear, supervision, own);
    sums.result.loss += result.loss;
    if (!std::isfinite(sums.result.loss)) break;
    sums.result.wrong += result.wrong;
    sums.questions += here;
  }
  return sums;
}

}  // namespace memn2n
