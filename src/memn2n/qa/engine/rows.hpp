// Rows of whole vectors, and what every part of the kernel works on. Included only through kernel.cpp.
#pragma once

#include "network.hpp"
#include "simd.hpp"

namespace memn2n {
namespace {

static_assert(kBlock % W == 0 && kColumns % W == 0, "padding must hold whole vectors");

// A row holds NV vectors of W floats, D floats in all. NV is a compile-time constant; NV = 0 stands for any number.
template <int NV>
struct Row {
  static constexpr int kVectors = NV;  // the size of local arrays that hold a row
  static constexpr int D = NV * W;
  explicit Row(int) {}
  static constexpr int count() { return NV; }
};
template <>
struct Row<0> {
  static constexpr int kVectors = kMaxDim / W;
  const int D;
  explicit Row(int dim) : D(padded(dim, W)) {}
  int count() const { return D / W; }
};

// A compile-time number that can be passed as an argument.
template <int N>
struct Number {
  constexpr int operator()() const { return N; }
};

// Calls f with n, from 1 to 4, as a Number.
template <class F>
inline void by_number(int n, const F& f) {
  if (n == 4) f(Number<4>());
  if (n == 3) f(Number<3>());
  if (n == 2) f(Number<2>());
  if (n == 1) f(Number<1>());
}

// One pass over a batch: the network, the batch and the workspace that all parts of the kernel use.
template <int NV>
struct Pass : Row<NV> {
  using Row<NV>::D;
  using Row<NV>::count;

  const Network& net;
  const Batch& batch;
  Workspace& work;
  const Tail tail;

  Pass(const Network& n, const Batch& b, Workspace& w)
      : Row<NV>(n.dim), net(n), batch(b), work(w), tail(n.dim - (count() - 1) * W) {}

  // Vector v of a row of a parameter. Such a row is not padded, so its last vector may be shorter.
  V part(const float* row, int v) const { return v < count() - 1 ? load(row + v * W) : tail.get(row + v * W); }

  // Sets n rows to zero.
  void clear(float* rows, int64_t n) const {
    for (int64_t i = 0; i < n * D; i += W) store(rows + i, V{});
  }

  // out[example] += x[example]
  void add(const float* x, float* out) const {
    for (int64_t i = 0; i < int64_t(batch.examples) * D; i += W) store(out + i, load(out + i) + load(x + i));
  }
};

}  // namespace
}  // namespace memn2n
