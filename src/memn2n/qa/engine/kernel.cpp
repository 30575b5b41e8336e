// Forward and backward passes by hand. Compiled once for each instruction set, each time under another name.
//
// Vectors of a batch (states, sentences, times) are rows of D floats: dim padded with zeros to the vector's width W.
// Parameters are read where PyTorch has them, unpadded, the end of each row by Tail.

#include <cmath>

#include "products.hpp"
#include "update.hpp"

#ifndef MEMN2N_KERNEL
#define MEMN2N_KERNEL baseline_kernel
#endif

namespace memn2n {
namespace {

// Forward and backward for one number of vectors in a row.
template <int NV>
struct Pass : Products<NV> {
  using Row<NV>::kVectors;
  using Row<NV>::D;
  using Row<NV>::count;
  using Products<NV>::net;
  using Products<NV>::room;
  using Products<NV>::part;
  using Products<NV>::by_number;
  using Products<NV>::transpose;
  using Products<NV>::multiply;
  using Products<NV>::add_outer;
  using Products<NV>::multiply_back;

  const Batch& batch;

  Pass(const Network& n, const Batch& b, Room& r) : Products<NV>(n, r), batch(b) {}

  // --- sentences -------------------------------------------------------------------------------------------------

  // Weights a + b position[k] of the words of a sentence (section 4.1), j from 1.
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
    float time_b() const { return encoding == Encoding::official ? (J - 1) / 2 * scale : 0; }
  };

  // Tables that are handled together, so that weights are made once and the sums stay in registers.
  static constexpr int kTogether = NV == 0 || NV > 6 ? 1 : NV > 3 ? 2 : 4;

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

  // Calls f for the tables that encode memories, some at a time: f(Number<how many>, which).
  template <class F>
  void by_tables(const F& f) const {
    int which[kMaxTables], n = 0;
    for (int t = 0; t < net.tables; ++t)
      if (net.memory[t]) which[n++] = t;
    for (int i = 0; i < n; i += kTogether)
      by_number(n - i < kTogether ? n - i : kTogether, [&](auto number) { f(number, which + i); });
  }

  void encode_all() const {
    by_tables([&](auto number, const int* which) {
      constexpr int N = number();
      const float* table[N];
      float* out[N];
      for (int s = 0; s < batch.distinct; ++s) {
        for (int t = 0; t < N; ++t) {
          table[t] = net.table[which[t]];
          out[t] = room.E[which[t]] + int64_t(s) * D;
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
          store(room.T[t] + int64_t(i) * D + v * W, x);
        }
    }
    for (int e = 0; e < batch.examples; ++e) {
      float* out = room.U[0] + int64_t(e) * D;
      encode<1>(batch.question[e], batch.question_length[e], &net.table[net.B], &out);
    }
  }

  void encode_all_backward() const {
    by_tables([&](auto number, const int* which) {
      constexpr int N = number();
      const float* gradient[N];
      float* G[N];
      for (int s = 1; s < batch.distinct; ++s) {
        for (int t = 0; t < N; ++t) {
          gradient[t] = room.gE[which[t]] + int64_t(s) * D;
          G[t] = room.G[which[t]];
        }
        encode_backward<N>(batch.sentence[s], batch.sentence_length[s], gradient, G);
      }
    });
    const float b = net.temporal == Temporal::word ? Weights(net, 0).time_b() : 0;
    for (int t = 0; t < net.tables; ++t) {
      if (!net.memory[t] || net.temporal == Temporal::none) continue;
      float* rows = net.temporal == Temporal::add ? room.gtime[t] : room.G[t] + int64_t(net.vocabulary) * D;
      for (int i = 0; i < batch.times; ++i)
        for (int v = 0; v < count(); ++v) {
          const V g = load(room.gT[t] + int64_t(i) * D + v * W);
          float* row = rows + int64_t(i) * D + v * W;
          store(row, load(row) + g + b * (load(net.position + v * W) * g));
        }
    }
    for (int e = 0; e < batch.examples; ++e) {
      const float* gradient = room.gU[0] + int64_t(e) * D;
      encode_backward<1>(batch.question[e], batch.question_length[e], &gradient, &room.G[net.B]);
    }
  }

  // --- memory ----------------------------------------------------------------------------------------------------

  // out[pair] = x[example of pair] . (E[row of pair] + T[time of pair]), W pairs at a time.
  void dots(const float* x, const float* E, const float* T, float* out) const {
    const int32_t *example = batch.example, *row = batch.row, *time = batch.time;
    for (int first = 0; first < batch.pairs; first += W) {
      const auto product = [&](int pair, const auto& u) {
        const float* m = E + int64_t(row[pair]) * D;
        const float* t = T + int64_t(time[pair]) * D;
        V s = u(0) * (load(m) + load(t));
        for (int v = 1; v < count(); ++v) s += u(v) * (load(m + v * W) + load(t + v * W));
        return s;
      };
      const float* of_first = x + int64_t(example[first]) * D;
      if (NV > 0 && NV < 8 && example[first] == example[first + W - 1]) {  // one state, kept in registers
        V u[kVectors];
        for (int v = 0; v < count(); ++v) u[v] = load(of_first + v * W);
        const auto same = [&](int v) { return u[v]; };
        store(out + first, sums<W, 0>([&](int i) { return product(first + i, same); }));
      } else {
        store(out + first, sums<W, 0>([&](int i) {
                const float* u = x + int64_t(example[first + i]) * D;
                return product(first + i, [&](int v) { return load(u + v * W); });
              }));
      }
    }
  }

  // out[example] += sum over its pairs of weight (E[row] + T[time])
  void weighted_sums(const float* weight, const float* E, const float* T, float* out) const {
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

  // Scores become attention (1). Empty slots score 0: together they add empty * exp(0) to the sum.
  void softmax(float* p) const {
    float* rest = room.scratch;
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

  // --- the network -------------------------------------------------------------------------------------------------

  Result forward(bool linear, bool train, float* probabilities) const {
    encode_all();
    for (int k = 0; k < net.hops; ++k) {
      const int a = net.A[k], c = net.C[k];
      dots(room.U[k], room.E[a], room.T[a], room.p[k]);
      if (!linear) softmax(room.p[k]);  // (1)
      step(room.U[k], room.U[k + 1]);
      weighted_sums(room.p[k], room.E[c], room.T[c], room.U[k + 1]);  // (2)
      if (net.relu)
        for (int64_t i = 0; i < int64_t(batch.examples) * D; i += W) {
          const V u = load(room.U[k + 1] + i);
          store(room.U[k + 1] + i, u > 0 ? u : V{});
        }
    }
    return answer(train, probabilities);
  }

  // The state's own part in the next one (4).
  void step(const float* u, float* next) const {
    if (!net.H) {
      for (int64_t i = 0; i < int64_t(batch.examples) * D; i += W) store(next + i, load(u + i));
      return;
    }
    for (int first = 0; first < batch.examples; first += kColumns) {
      const int columns = batch.examples - first < kColumns ? batch.examples - first : kColumns;
      transpose(u + int64_t(first) * D, columns);
      multiply(net.H, net.dim, room.logits);
      for (int c = 0; c < columns; ++c) {
        float* out = next + int64_t(first + c) * D;
        for (int k = 0; k < net.dim; ++k) out[k] = room.logits[int64_t(k) * kColumns + c];
        for (int k = net.dim; k < D; ++k) out[k] = 0;
      }
    }
  }

  void step_backward(const float* u, const float* gnext, float* gu) const {
    if (!net.H) {
      for (int64_t i = 0; i < int64_t(batch.examples) * D; i += W) store(gu + i, load(gnext + i));
      return;
    }
    for (int first = 0; first < batch.examples; first += kColumns) {
      const int columns = batch.examples - first < kColumns ? batch.examples - first : kColumns;
      transpose(gnext + int64_t(first) * D, columns);
      add_outer(room.transposed, net.dim, u + int64_t(first) * D, columns, room.gH);
      multiply_back(room.transposed, net.H, net.dim, columns, gu + int64_t(first) * D);
    }
  }

  // Answers (3), their loss, and while training the gradients of W and of the last state.
  Result answer(bool train, float* probabilities) const {
    Result result;
    const float* table = net.table[net.W];
    for (int first = 0; first < batch.examples; first += kColumns) {
      const int columns = batch.examples - first < kColumns ? batch.examples - first : kColumns;
      const float* u = room.U[net.hops] + int64_t(first) * D;
      const int32_t* answer = batch.answer + first;
      float* z = room.logits;
      transpose(u, columns);
      multiply(table, net.rows, z);
      float most[kColumns], total[kColumns], of_answer[kColumns];
      int32_t best[kColumns];
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
      for (int c = 0; c < columns; ++c)
        of_answer[c] = answer[c] >= 0 ? z[int64_t(answer[c]) * kColumns + c] : -INFINITY;
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
      for (int c = 0; c < columns; ++c) {
        result.loss += static_cast<double>(most[c]) + std::log(static_cast<double>(total[c])) - of_answer[c];
        result.wrong += best[c] != answer[c];
      }
      if (!train && !probabilities) continue;
      for (int c = 0; c < kColumns; c += W) {
        const V scale = 1.0f / load(total + c);
        for (int row = 0; row < net.rows; ++row) {
          float* x = z + int64_t(row) * kColumns + c;
          store(x, load(x) * scale);
        }
      }
      if (probabilities) {
        const int words = net.vocabulary - kSpecial;
        for (int c = 0; c < columns; ++c)
          for (int w = 0; w < words; ++w)
            probabilities[int64_t(first + c) * words + w] = z[int64_t(w + kSpecial) * kColumns + c];
      }
      if (train) {
        for (int c = 0; c < columns; ++c) z[int64_t(answer[c]) * kColumns + c] -= 1;
        add_outer(z, net.rows, u, columns, room.G[net.W]);
        multiply_back(z, table, net.rows, columns, room.gU[net.hops] + int64_t(first) * D);
      }
    }
    return result;
  }

  void backward(bool linear) const {
    for (int k = net.hops - 1; k >= 0; --k) {
      const int a = net.A[k], c = net.C[k];
      float* go = room.gU[k + 1];  // of what was read, and of the state that went on
      if (net.relu)
        for (int64_t i = 0; i < int64_t(batch.examples) * D; i += W)
          store(go + i, load(room.U[k + 1] + i) > 0 ? load(go + i) : V{});
      step_backward(room.U[k], go, room.gU[k]);
      float* ds = room.ds[k];
      dots(go, room.E[c], room.T[c], ds);
      if (!linear) {
        const float* p = room.p[k];
        for (int e = 0; e < batch.examples; ++e) {
          float mean = 0;
          for (int i = batch.start[e]; i < batch.start[e + 1]; ++i) mean += p[i] * ds[i];
          for (int i = batch.start[e]; i < batch.start[e + 1]; ++i) ds[i] = p[i] * (ds[i] - mean);
        }
      }
      weighted_sums(ds, room.E[a], room.T[a], room.gU[k]);
    }
    for (int t = 0; t < net.tables; ++t)
      if (net.memory[t]) memories_backward(t);
    encode_all_backward();
  }

  // A sentence's gradient is that of each hop that reads it: p times that of what was read where the table is C,
  // that of the score times the state where it is A.
  void memories_backward(int t) const {
    const float* weight[2 * kMaxHops];
    const float* vector[2 * kMaxHops];
    int n = 0;
    for (int k = 0; k < net.hops; ++k) {
      if (net.C[k] == t) weight[n] = room.p[k], vector[n++] = room.gU[k + 1];
      if (net.A[k] == t) weight[n] = room.ds[k], vector[n++] = room.U[k];
    }
    float *gE = room.gE[t], *gT = room.gT[t];
    for (int64_t i = 0; i < int64_t(batch.distinct) * D; i += W) store(gE + i, V{});
    for (int64_t i = 0; i < int64_t(batch.times) * D; i += W) store(gT + i, V{});
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

template <int NV>
Result forward_of(const Network& net, const Batch& batch, Room& room, bool linear, bool train, float* probabilities) {
  return Pass<NV>(net, batch, room).forward(linear, train, probabilities);
}

template <int NV>
void backward_of(const Network& net, const Batch& batch, Room& room, bool linear) {
  Pass<NV>(net, batch, room).backward(linear);
}

using Forward = Result (*)(const Network&, const Batch&, Room&, bool, bool, float*);
using Backward = void (*)(const Network&, const Batch&, Room&, bool);
constexpr Forward kForward[] = {forward_of<0>, forward_of<1>, forward_of<2>, forward_of<3>,
                                forward_of<4>, forward_of<5>, forward_of<6>, forward_of<7>};
constexpr Backward kBackward[] = {backward_of<0>, backward_of<1>, backward_of<2>, backward_of<3>,
                                  backward_of<4>, backward_of<5>, backward_of<6>, backward_of<7>};

int vectors(const Network& net) {
  const int nv = padded(net.dim, W) / W;
  return nv < 8 ? nv : 0;
}

Result forward(const Network& net, const Batch& batch, Room& room, bool linear, bool train, float* probabilities) {
  return kForward[vectors(net)](net, batch, room, linear, train, probabilities);
}

void backward(const Network& net, const Batch& batch, Room& room, bool linear) {
  kBackward[vectors(net)](net, batch, room, linear);
}

#ifndef MEMN2N_NAME
#define MEMN2N_NAME "baseline"
#endif
constexpr Kernel kKernel{MEMN2N_NAME, W, forward, backward, update};

}  // namespace

const Kernel* MEMN2N_KERNEL() { return &kKernel; }

}  // namespace memn2n
