// The gate of a hop (Liu and Perez 2016): T = sigmoid(G u + b) is the share of what is read in the next state,
// by component. Included only through kernel.cpp.
#pragma once

#include "supervision.hpp"

namespace memn2n {
namespace {

template <int NV>
struct Gate : Supervision<NV> {
  using Supervision<NV>::kVectors;
  using Supervision<NV>::D;
  using Supervision<NV>::count;
  using Supervision<NV>::net;
  using Supervision<NV>::batch;
  using Supervision<NV>::work;
  using Supervision<NV>::Supervision;

  // The next state of hop k: o * T + c * (1 - T). On entry the next state is c, which is carried, and work.difference
  // is o, which is read.
  void mix(int k) const {
    float *T = work.gate[k], *difference = work.difference[k], *next = work.U[k + 1];
    this->apply(net.gate[k], work.U[k], T);
    V bias[kVectors];
    for (int v = 0; v < count(); ++v) bias[v] = this->part(net.gate_bias[k], v);
    for (int e = 0; e < batch.examples; ++e)
      for (int v = 0; v < count(); ++v) {
        const int64_t i = int64_t(e) * D + v * W;
        const V t = 1.0f / (1.0f + exp(-(load(T + i) + bias[v]))), carried = load(next + i);
        const V from_carried = load(difference + i) - carried;
        store(T + i, t);
        store(difference + i, from_carried);
        store(next + i, carried + t * from_carried);
      }
  }

  // On entry work.gU[k + 1] has the gradient of the next state. Turns it into that of o, sets work.gcarried to that of
  // c, and work.gsum to the part of the gradient of u that passes through the gate.
  void mix_backward(int k) const {
    const float *T = work.gate[k], *difference = work.difference[k];
    float *g = work.gU[k + 1], *gcarried = work.gcarried, *gsum = work.gsum;
    V gbias[kVectors];
    for (int v = 0; v < count(); ++v) gbias[v] = load(work.ggate_bias[k] + v * W);
    for (int e = 0; e < batch.examples; ++e)
      for (int v = 0; v < count(); ++v) {
        const int64_t i = int64_t(e) * D + v * W;
        const V t = load(T + i), gnext = load(g + i);
        const V gz = gnext * load(difference + i) * t * (1.0f - t);  // of G u + b
        gbias[v] += gz;
        store(gsum + i, gz);
        store(gcarried + i, gnext * (1.0f - t));
        store(g + i, gnext * t);
      }
    for (int v = 0; v < count(); ++v) store(work.ggate_bias[k] + v * W, gbias[v]);
    this->apply_backward(net.gate[k], work.U[k], gsum, work.ggate[k], gsum);
  }
};

}  // namespace
}  // namespace memn2n
