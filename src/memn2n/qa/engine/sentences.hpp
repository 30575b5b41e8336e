// Sentences, questions and times as vectors (section 4.1 of the paper). Included only through kernel.cpp.
#pragma once

#include "products.hpp"

namespace memn2n {
namespace {

template <int NV>
struct Sentences : Products<NV> {
  using Products<NV>::kVectors;
  using Products<NV>::D;
  using Products<NV>::count;
  using Products<NV>::net;
  using Products<NV>::batch;
  using Products<NV>::work;
  using Products<NV>::part;

  using Products<NV>::Products;

  // Position encoding (section 4.1): component k of the j-th word, j from 1, weighs a(j) + b(j) net.position[k].
  struct Weights {
    Encoding encoding;
    float J, scale;
    int last;
    Weights(const Network& net, int length) : encoding(net.encoding), J(1), scale(0), last(net.longest) {
      if (encoding == Encoding::pe) {
        J = length > 0 ? length : 1;
        scale = 1 / J;
      } else if (encoding == Encoding::official) {
        J = official_longest(net);
        scale = 4 / (net.dim * J);
      }
    }
    float a(int j) const { return encoding == Encoding::pe ? 1 - j * scale : 1; }
    float b(int j) const {
      if (encoding == Encoding::pe) return 2 * j * scale - 1;
      return ((j < last ? j : last) - (J + 1) / 2) * scale;  // 0 for a bag of words
    }
    // b of a time word, which is the sentence's last word; its a is 1.
    float time_b() const { return encoding == Encoding::official ? (J - 1) / 2 * scale : 0; }
  };

  // Tables that are encoded together: the weights are computed once for all of them, and the sums stay in registers.
  static constexpr int kTogether = NV == 0 || NV > 6 ? 1 : NV > 3 ? 2 : 4;

  // The sentence's vector by each of N tables: the weighted sum of its words' rows.
  template <int N>
  void encode(const int32_t* words, int length, const float* const* table, float* const* out) const {
    const Weights weights(net, length);
    V s[N][kVectors];
    for (int t = 0; t < N; ++t)
      for (int v = 0; v < count(); ++v) s[t][v] = V{};
    for (int j = 1; j <= length; ++j) {
      const int64_t row = static_cast<int64_t>(words[j - 1]) * net.dim;
      const float a = weights.a(j), b = weights.b(j);
      for (int v = 0; v < count(); ++v) {
        const V w = a + b * load(net.position + v * W);
        for (int t = 0; t < N; ++t) s[t][v] += w * part(table[t] + row, v);
      }
    }
    for (int t = 0; t < N; ++t)
      for (int v = 0; v < count(); ++v) store(out[t] + v * W, s[t][v]);
  }

  // Adds the gradient of a sentence's vector to the rows of its words, for each of N tables.
  template <int N>
  void encode_backward(const int32_t* words, int length, const float* const* gradient, float* const* G) const {
    const Weights weights(net, length);
    V g[N][kVectors];
    for (int t = 0; t < N; ++t)
      for (int v = 0; v < count(); ++v) g[t][v] = load(gradient[t] + v * W);
    for (int j = 1; j <= length; ++j) {
      if (words[j - 1] == kNull) continue;
      const int64_t row = static_cast<int64_t>(words[j - 1]) * D;
      const float a = weights.a(j), b = weights.b(j);
      for (int v = 0; v < count(); ++v) {
        const V w = a + b * load(net.position + v * W);
        for (int t = 0; t < N; ++t) store(G[t] + row + v * W, load(G[t] + row + v * W) + w * g[t][v]);
      }
    }
  }

  // Calls f(Number<N>, indices of N tables) until all tables that encode memories had their turn.
  template <class F>
  void by_tables(const F& f) const {
    int which[kMaxTables], n = 0;
    for (int t = 0; t < net.tables; ++t)
      if (net.memory[t]) which[n++] = t;
    for (int i = 0; i < n; i += kTogether)
      by_number(n - i < kTogether ? n - i : kTogether, [&](auto number) { f(number, which + i); });
  }

  // The batch's distinct sentences into E and its times into T, by each table that encodes memories; its questions by
  // B into the first state.
  void encode_all() const {
    by_tables([&](auto number, const int* which) {
      constexpr int N = number();
      const float* table[N];
      float* out[N];
      for (int s = 0; s < batch.distinct; ++s) {
        for (int t = 0; t < N; ++t) {
          table[t] = net.table[which[t]];
          out[t] = work.E[which[t]] + int64_t(s) * D;
        }
        encode<N>(batch.sentence[s], batch.sentence_length[s], table, out);
      }
    });
    const float b = Weights(net, 0).time_b();
    for (int t = 0; t < net.tables; ++t) {
      if (!net.memory[t]) continue;
      const float* rows = net.temporal == Temporal::add ? net.time[t] : net.table[t] + int64_t(net.vocabulary) * net.dim;
      for (int i = 0; i < batch.times; ++i)
        for (int v = 0; v < count(); ++v) {
          V x{};
          if (net.temporal != Temporal::none) x = part(rows + int64_t(i) * net.dim, v);
          if (net.temporal == Temporal::word) x += b * (load(net.position + v * W) * x);
          store(work.T[t] + int64_t(i) * D + v * W, x);
        }
    }
    for (int e = 0; e < batch.examples; ++e) {
      float* out = work.U[0] + int64_t(e) * D;
      encode<1>(batch.question[e], batch.question_length[e], &net.table[net.B], &out);
    }
  }

  // From the gradients of E, T and the first state to those of the parameters. Row 0 of E, the empty sentence, has none.
  void encode_all_backward() const {
    by_tables([&](auto number, const int* which) {
      constexpr int N = number();
      const float* gradient[N];
      float* G[N];
      for (int s = 1; s < batch.distinct; ++s) {
        for (int t = 0; t < N; ++t) {
          gradient[t] = work.gE[which[t]] + int64_t(s) * D;
          G[t] = work.G[which[t]];
        }
        encode_backward<N>(batch.sentence[s], batch.sentence_length[s], gradient, G);
      }
    });
    const float b = net.temporal == Temporal::word ? Weights(net, 0).time_b() : 0;
    for (int t = 0; t < net.tables; ++t) {
      if (!net.memory[t] || net.temporal == Temporal::none) continue;
      float* rows = net.temporal == Temporal::add ? work.gtime[t] : work.G[t] + int64_t(net.vocabulary) * D;
      for (int i = 0; i < batch.times; ++i)
        for (int v = 0; v < count(); ++v) {
          const V g = load(work.gT[t] + int64_t(i) * D + v * W);
          float* row = rows + int64_t(i) * D + v * W;
          store(row, load(row) + g + b * (load(net.position + v * W) * g));
        }
    }
    for (int e = 0; e < batch.examples; ++e) {
      const float* gradient = work.gU[0] + int64_t(e) * D;
      encode_backward<1>(batch.question[e], batch.question_length[e], &gradient, &work.G[net.B]);
    }
  }
};

}  // namespace
}  // namespace memn2n
