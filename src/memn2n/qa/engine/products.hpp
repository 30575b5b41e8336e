// Products of small matrices with kColumns examples at a time. Included only through kernel.cpp.
#pragma once

#include "rows.hpp"

namespace memn2n {
namespace {

// The parts of the kernel derive from each other, each in a header of its own: Products, Sentences, Memory, Answer,
// Supervision, Gate and, in kernel.cpp, Hops.
template <int NV>
struct Products : Pass<NV> {
  using Pass<NV>::D;
  using Pass<NV>::count;
  using Pass<NV>::net;
  using Pass<NV>::batch;
  using Pass<NV>::work;
  using Pass<NV>::part;

  using Pass<NV>::Pass;

  // work.transposed[k][column] = x[column][k]
  void transpose(const float* x, int columns) const {
    for (int k = 0; k < net.dim; ++k) {
      float* out = work.transposed + int64_t(k) * kColumns;
      for (int c = 0; c < columns; ++c) out[c] = x[int64_t(c) * D + k];
      for (int c = columns; c < kColumns; ++c) out[c] = 0;
    }
  }

  // out[row][column] = M[row] . x[column], where x is in work.transposed
  void multiply(const float* M, int rows, float* out) const {
    constexpr int R = W == 4 ? 1 : 4, CV = kColumns / W;
    for (int first = 0; first < rows; first += R) {
      const float* m[R];
      for (int r = 0; r < R; ++r) m[r] = M + int64_t(first + r < rows ? first + r : first) * net.dim;
      V s[R][CV];
      for (int r = 0; r < R; ++r)
        for (int c = 0; c < CV; ++c) s[r][c] = V{};
      for (int k = 0; k < net.dim; ++k) {
        const float* x = work.transposed + int64_t(k) * kColumns;
        for (int c = 0; c < CV; ++c) {
          const V xc = load(x + c * W);
          for (int r = 0; r < R; ++r) s[r][c] += m[r][k] * xc;
        }
      }
      for (int r = 0; r < R && first + r < rows; ++r)
        for (int c = 0; c < CV; ++c) store(out + int64_t(first + r) * kColumns + c * W, s[r][c]);
    }
  }

  // dM[row] += sum over columns of g[row][column] x[column]
  void add_outer(const float* g, int rows, const float* x, int columns, float* dM) const {
    constexpr int R = 4;
    for (int first = 0; first < rows; first += R) {
      const int n = rows - first < R ? rows - first : R;
      const float* gr[R];
      for (int r = 0; r < R; ++r) gr[r] = g + int64_t(first + (r < n ? r : 0)) * kColumns;
      for (int v0 = 0; v0 < count(); v0 += 4) {  // four vectors of four rows stay in registers
        const int some = count() - v0 < 4 ? count() - v0 : 4;
        V s[R][4];
        for (int r = 0; r < R; ++r)
          for (int v = 0; v < 4; ++v) s[r][v] = V{};
        const auto add = [&](auto vectors) {
          for (int c = 0; c < columns; ++c) {
            const float* xc = x + int64_t(c) * D + v0 * W;
            for (int v = 0; v < vectors(); ++v) {
              const V xv = load(xc + v * W);
              for (int r = 0; r < R; ++r) s[r][v] += gr[r][c] * xv;
            }
          }
        };
        by_number(some, add);
        for (int r = 0; r < n; ++r)
          for (int v = 0; v < some; ++v) {
            float* out = dM + int64_t(first + r) * D + (v0 + v) * W;
            store(out, load(out) + s[r][v]);
          }
      }
    }
  }

  // dx[column] = sum over rows of g[row][column] M[row]
  void multiply_back(const float* g, const float* M, int rows, int columns, float* dx) const {
    constexpr int R = 4;
    for (int first = 0; first < columns; first += R) {
      const int n = columns - first < R ? columns - first : R;
      for (int v0 = 0; v0 < count(); v0 += 4) {
        const int some = count() - v0 < 4 ? count() - v0 : 4;
        V s[R][4];
        for (int r = 0; r < R; ++r)
          for (int v = 0; v < 4; ++v) s[r][v] = V{};
        const auto add = [&](auto vectors) {
          for (int row = 0; row < rows; ++row) {
            const float* m = M + int64_t(row) * net.dim;
            const float* gc = g + int64_t(row) * kColumns + first;
            for (int v = 0; v < vectors(); ++v) {
              const V mv = part(m, v0 + v);
              for (int r = 0; r < R; ++r) s[r][v] += gc[r] * mv;
            }
          }
        };
        by_number(some, add);
        for (int r = 0; r < n; ++r)
          for (int v = 0; v < some; ++v) {
            float* out = dx + int64_t(first + r) * D + (v0 + v) * W;
            store(out, s[r][v]);
          }
      }
    }
  }

  // out[example] = M x[example], where M is (dim, dim)
  void apply(const float* M, const float* x, float* out) const {
    for (int first = 0; first < batch.examples; first += kColumns) {
      const int columns = batch.examples - first < kColumns ? batch.examples - first : kColumns;
      transpose(x + int64_t(first) * D, columns);
      multiply(M, net.dim, work.logits);
      for (int c = 0; c < columns; ++c) {
        float* row = out + int64_t(first + c) * D;
        for (int k = 0; k < net.dim; ++k) row[k] = work.logits[int64_t(k) * kColumns + c];
        for (int k = net.dim; k < D; ++k) row[k] = 0;
      }
    }
  }

  // From the gradient of apply's out: adds to the gradient of M and sets that of x, which may be in the place of gout.
  void apply_backward(const float* M, const float* x, const float* gout, float* gM, float* gx) const {
    for (int first = 0; first < batch.examples; first += kColumns) {
      const int columns = batch.examples - first < kColumns ? batch.examples - first : kColumns;
      transpose(gout + int64_t(first) * D, columns);
      add_outer(work.transposed, net.dim, x + int64_t(first) * D, columns, gM);
      multiply_back(work.transposed, M, net.dim, columns, gx + int64_t(first) * D);
    }
  }
};

}  // namespace
}  // namespace memn2n
