// The answer and its loss (equation 3). Included only through kernel.cpp.
#pragma once

#include <cmath>
#include <cstring>

#include "memory.hpp"

namespace memn2n {
namespace {

template <int NV>
struct Answer : Memory<NV> {
  using Memory<NV>::D;
  using Memory<NV>::net;
  using Memory<NV>::batch;
  using Memory<NV>::work;

  using Memory<NV>::Memory;

  // a = softmax(W u) (3), its loss and, when training, the gradients of W and of the last state. Takes kColumns
  // examples at a time; z[row][column] is first the logit of a table row, then its probability, then its gradient.
  // probabilities: (example, word from kSpecial on), or null.
  Result answer(bool train, float* probabilities) const {
    Result result;
    const float* table = net.table[net.W];
    float* z = work.logits;
    for (int first = 0; first < batch.examples; first += kColumns) {
      const int columns = batch.examples - first < kColumns ? batch.examples - first : kColumns;
      const float* u = work.U[net.hops] + int64_t(first) * D;
      const int32_t* answer_id = batch.answer + first;
      this->transpose(u, columns);
      this->multiply(table, net.rows, z);
      float most[kColumns], total[kColumns], of_answer[kColumns];
      int32_t best[kColumns];
      find_largest(z, most, best);
      for (int c = 0; c < columns; ++c)
        of_answer[c] = answer_id[c] >= 0 ? z[int64_t(answer_id[c]) * kColumns + c] : -INFINITY;
      exponentiate(z, most, total);
      for (int c = 0; c < columns; ++c) {
        result.loss += static_cast<double>(most[c]) + std::log(static_cast<double>(total[c])) - of_answer[c];
        result.wrong += best[c] != answer_id[c];
      }
      if (!train && !probabilities) continue;
      normalize(z, total);
      if (probabilities) {
        const int words = net.vocabulary - kSpecial;
        for (int c = 0; c < columns; ++c)
          for (int w = 0; w < words; ++w)
            probabilities[int64_t(first + c) * words + w] = z[int64_t(w + kSpecial) * kColumns + c];
      }
      if (train) {
        for (int c = 0; c < columns; ++c) z[int64_t(answer_id[c]) * kColumns + c] -= 1;
        this->add_outer(z, net.rows, u, columns, work.G[net.W]);
        this->multiply_back(z, table, net.rows, columns, work.gU[net.hops] + int64_t(first) * D);
      }
    }
    return result;
  }

  // Of each column: the largest logit of all rows that compete, and the word with the largest one.
  void find_largest(const float* z, float* most, int32_t* best) const {
    for (int c = 0; c < kColumns; c += W) {
      V m = all(-INFINITY), word = m;
      VI at{};
      for (int row = 0; row < net.rows; ++row) {
        if (closed(net, row)) continue;
        const V x = load(z + int64_t(row) * kColumns + c);
        m = x > m ? x : m;
        if (row >= kSpecial && row < net.vocabulary) {
          const VI better = x > word;
          word = better ? x : word;
          at = better ? VI{} + row : at;
        }
      }
      store(most + c, m);
      std::memcpy(best + c, &at, sizeof at);
    }
  }

  // Replaces the logits by exp(logit - most), 0 for rows that do not compete, and sums each column.
  void exponentiate(float* z, const float* most, float* total) const {
    for (int c = 0; c < kColumns; c += W) {
      V sum{};
      const V m = load(most + c);
      for (int row = 0; row < net.rows; ++row) {
        float* x = z + int64_t(row) * kColumns + c;
        const V y = closed(net, row) ? V{} : exp(load(x) - m);
        store(x, y);
        sum += y;
      }
      store(total + c, sum);
    }
  }

  void normalize(float* z, const float* total) const {
    for (int c = 0; c < kColumns; c += W) {
      const V scale = 1.0f / load(total + c);
      for (int row = 0; row < net.rows; ++row) {
        float* x = z + int64_t(row) * kColumns + c;
        store(x, load(x) * scale);
      }
    }
  }
};

}  // namespace
}  // namespace memn2n
