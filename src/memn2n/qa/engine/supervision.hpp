// Attention supervision: the loss of the attention on supporting facts. Included only through kernel.cpp.
#pragma once

#include <cmath>

#include "answer.hpp"

namespace memn2n {
namespace {

// The loss of a fact is -weight log r, r = 1 - prod_k (1 - p_k): the probability that at least one hop picks it.
template <int NV>
struct Supervision : Answer<NV> {
  using Answer<NV>::net;
  using Answer<NV>::batch;
  using Answer<NV>::work;
  using Answer<NV>::Answer;

  // Where the attention underflows, the logarithm and its gradient stay finite.
  static constexpr float kLeast = 1e-20f;

  // r of a pair, at least kLeast. It is summed up by hops, because the formula above loses an r that is small.
  float picked(int pair) const {
    float r = 0;
    for (int k = 0; k < net.hops; ++k) r += (1 - r) * work.p[k][pair];
    return r < kLeast ? kLeast : r;
  }

  // The loss of all facts of the batch.
  double supervision() const {
    double sum = 0;
    for (int i = 0; i < batch.facts; ++i) sum -= std::log(static_cast<double>(picked(batch.fact[i])));
    return batch.supervision * sum;
  }

  // Adds to the gradient of hop k's attention.
  void supervision_backward(int k, float* gp) const {
    for (int i = 0; i < batch.facts; ++i) {
      const int pair = batch.fact[i];
      float missed = 1;  // by all other hops
      for (int j = 0; j < net.hops; ++j)
        if (j != k) missed *= 1 - work.p[j][pair];
      gp[pair] -= batch.supervision / picked(pair) * missed;
    }
  }
};

}  // namespace
}  // namespace memn2n
