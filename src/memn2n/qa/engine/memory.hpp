// Reading from memory: scores, attention and weighted sums. Included only through kernel.cpp.
#pragma once

#include <cmath>

#include "sentences.hpp"

namespace memn2n {
namespace {

template <int NV>
struct Memory : Sentences<NV> {
  using Sentences<NV>::kVectors;
  using Sentences<NV>::D;
  using Sentences<NV>::count;
  using Sentences<NV>::net;
  using Sentences<NV>::batch;
  using Sentences<NV>::work;

  using Sentences<NV>::Sentences;

  // A pair is an example with one sentence of its memory. The sentence's vector is E[row of pair] + T[time of pair].

  // out[pair] = x[example of pair] . vector of pair, W pairs at a time. With x = u and a hop's A these are the scores
  // of equation 1.
  void score(const float* x, const float* E, const float* T, float* out) const {
    const int32_t *example = batch.example, *row = batch.row, *time = batch.time;
    for (int first = 0; first < batch.pairs; first += W) {
      const auto product = [&](int pair, const auto& u) MEMN2N_INLINE {
        const float* m = E + int64_t(row[pair]) * D;
        const float* t = T + int64_t(time[pair]) * D;
        V s = u(0) * (load(m) + load(t));
        for (int v = 1; v < count(); ++v) s += u(v) * (load(m + v * W) + load(t + v * W));
        return s;
      };
      const float* of_first = x + int64_t(example[first]) * D;
      if (NV > 0 && NV < 8 && example[first] == example[first + W - 1]) {  // all pairs share one x, kept in registers
        V u[kVectors];
        for (int v = 0; v < count(); ++v) u[v] = load(of_first + v * W);
        const auto same = [&](int v) { return u[v]; };
        store(out + first, sums<W, 0>([&](int i) MEMN2N_INLINE { return product(first + i, same); }));
      } else {
        store(out + first, sums<W, 0>([&](int i) MEMN2N_INLINE {
                const float* u = x + int64_t(example[first + i]) * D;
                return product(first + i, [&](int v) { return load(u + v * W); });
              }));
      }
    }
  }

  // out[example] += sum over its pairs of weight[pair] times the vector of pair. With the attention and a hop's C this
  // adds o (equation 2).
  void add_read(const float* weight, const float* E, const float* T, float* out) const {
    for (int e = 0; e < batch.examples; ++e) {
      V s[kVectors];
      for (int v = 0; v < count(); ++v) s[v] = load(out + int64_t(e) * D + v * W);
      for (int pair = batch.start[e]; pair < batch.start[e + 1]; ++pair) {
        const V w = all(weight[pair]);
        const float* m = E + int64_t(batch.row[pair]) * D;
        const float* t = T + int64_t(batch.time[pair]) * D;
        for (int v = 0; v < count(); ++v) s[v] += w * (load(m + v * W) + load(t + v * W));
      }
      for (int v = 0; v < count(); ++v) store(out + int64_t(e) * D + v * W, s[v]);
    }
  }

  // Turns the scores of equation 1 into attention. Empty slots score 0: together they add empty * exp(0) to the sum.
  void softmax(float* p) const {
    float* rest = work.scratch;
    for (int e = 0; e < batch.examples; ++e) {
      float most = batch.empty[e] > 0 ? 0 : -INFINITY;
      for (int i = batch.start[e]; i < batch.start[e + 1]; ++i) most = p[i] > most ? p[i] : most;
      for (int i = batch.start[e]; i < batch.start[e + 1]; ++i) p[i] -= most;
      rest[e] = -most;
    }
    for (int e = 0; e < batch.examples; e += W) store(rest + e, exp(load(rest + e)));
    for (int i = 0; i < batch.pairs; i += W) store(p + i, exp(load(p + i)));
    for (int e = 0; e < batch.examples; ++e) {
      float total = batch.empty[e] > 0 ? batch.empty[e] * rest[e] : 0;
      for (int i = batch.start[e]; i < batch.start[e + 1]; ++i) total += p[i];
      const float scale = 1 / total;
      for (int i = batch.start[e]; i < batch.start[e + 1]; ++i) p[i] *= scale;
    }
  }

  // Turns the gradient of the attention p into the gradient of the scores, in place.
  void softmax_backward(const float* p, float* ds) const {
    for (int e = 0; e < batch.examples; ++e) {
      float mean = 0;
      for (int i = batch.start[e]; i < batch.start[e + 1]; ++i) mean += p[i] * ds[i];
      for (int i = batch.start[e]; i < batch.start[e + 1]; ++i) ds[i] = p[i] * (ds[i] - mean);
    }
  }

  // The gradients of table t's sentence and time vectors, summed over the hops that use the table. Where it is C, a
  // hop contributes p times the gradient of o; where it is A, the gradient of the score times the state.
  void memory_backward(int t) const {
    const float* weight[2 * kMaxHops];
    const float* vector[2 * kMaxHops];
    int n = 0;
    for (int k = 0; k < net.hops; ++k) {
      if (net.C[k] == t) weight[n] = work.p[k], vector[n++] = work.gU[k + 1];
      if (net.A[k] == t) weight[n] = work.ds[k], vector[n++] = work.U[k];
    }
    float *gE = work.gE[t], *gT = work.gT[t];
    this->clear(gE, batch.distinct);
    this->clear(gT, batch.times);
    for (int j = 0; j < n; j += 2)
      if (j + 1 < n)
        add_outer_pairs<2>(weight + j, vector + j, gE, gT);
      else
        add_outer_pairs<1>(weight + j, vector + j, gE, gT);
  }

  // gE[row of pair] and gT[time of pair] += sum over j of weight[j][pair] vector[j][example of pair]
  template <int N>
  void add_outer_pairs(const float* const* weight, const float* const* vector, float* gE, float* gT) const {
    const float *w0 = weight[0], *w1 = weight[N - 1];
    for (int e = 0; e < batch.examples; ++e) {
      V x0[kVectors], x1[kVectors];
      for (int v = 0; v < count(); ++v) {
        x0[v] = load(vector[0] + int64_t(e) * D + v * W);
        x1[v] = load(vector[N - 1] + int64_t(e) * D + v * W);
      }
      const int end = batch.start[e + 1];
      for (int i = batch.start[e]; i < end; ++i) {
        float* m = gE + int64_t(batch.row[i]) * D;
        float* at = gT + int64_t(batch.time[i]) * D;
        const V a = all(w0[i]), b = all(w1[i]);
        for (int v = 0; v < count(); ++v) {
          V g = a * x0[v];
          if (N == 2) g += b * x1[v];
          store(m + v * W, load(m + v * W) + g);
          store(at + v * W, load(at + v * W) + g);
        }
      }
    }
  }
};

}  // namespace
}  // namespace memn2n
