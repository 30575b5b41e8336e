// One training step of one parameter: clipping, then gradient descent or Adam. Included only through kernel.cpp.
#pragma once

#include <cmath>

#include "network.hpp"
#include "simd.hpp"

namespace memn2n {
namespace {

// The largest singular value of a gradient by power iteration: x <- G'G x until |G x|^2 changes by less than 1e-6 of
// itself, about ten steps for a gradient. The relative error is below 1e-4 unless the two largest singular values are
// nearly equal. vectors: two rows of D floats and one float for each row of G.
float spectral_norm(const float* G, int rows, int dim, float* vectors) {
  constexpr int kMostSteps = 1000, R = 4;
  const int D = padded(dim, W), whole = rows - rows % R;
  float *x = vectors, *z = x + D, *y = z + D;
  const auto dot = [&](const float* a, const float* b) {
    V s{};
    for (int k = 0; k < D; k += W) s += load(a + k) * load(b + k);
    return s;
  };
  float longest = -1;
  for (int r = 0; r < rows; ++r) {
    const float* row = G + int64_t(r) * D;
    const float squares = sum(dot(row, row));
    if (squares > longest) {
      longest = squares;
      for (int k = 0; k < D; k += W) store(x + k, load(row + k));
    }
  }
  // Start near the longest row, not at it: the row itself may be orthogonal to the largest singular vector.
  for (int k = 0; k < dim; ++k) x[k] += 0.05f * std::sqrt(longest / dim) * (1 + k % 3);
  float value = 0;
  for (int step = 0; step < kMostSteps; ++step) {
    const float length = std::sqrt(sum(dot(x, x)));
    if (!(length > 0) || !std::isfinite(length)) break;
    for (int k = 0; k < D; k += W) {
      store(x + k, load(x + k) * (1 / length));
      store(z + k, V{});
    }
    float found = 0;
    for (int r = 0; r < rows; ++r) {
      y[r] = sum(dot(G + int64_t(r) * D, x));
      found += y[r] * y[r];
    }
    for (int r = 0; r < whole; r += R) {
      const float* g = G + int64_t(r) * D;
      for (int k = 0; k < D; k += W)
        store(z + k, load(z + k) + y[r] * load(g + k) + y[r + 1] * load(g + D + k) + y[r + 2] * load(g + 2 * D + k) +
                         y[r + 3] * load(g + 3 * D + k));
    }
    for (int r = whole; r < rows; ++r)
      for (int k = 0; k < D; k += W) store(z + k, load(z + k) + y[r] * load(G + int64_t(r) * D + k));
    const bool settled = std::fabs(found - value) <= 1e-6f * found;
    value = found;
    if (settled) break;
    for (int k = 0; k < D; k += W) store(x + k, load(z + k));
  }
  return std::sqrt(value);
}

void update(float* parameter, float* gradient, float* first, float* second, int rows, int dim, float* vectors,
            const Update& how) {
  const int D = padded(dim, W);
  const int64_t size = int64_t(rows) * D;
  double squares = 0;
  for (int r = 0; r < rows; ++r) {
    V s{};
    for (int k = 0; k < D; k += W) s += load(gradient + int64_t(r) * D + k) * load(gradient + int64_t(r) * D + k);
    squares += sum(s);
  }
  float norm = static_cast<float>(std::sqrt(squares));
  if (how.spectral && norm > how.clip_norm) norm = spectral_norm(gradient, rows, dim, vectors);  // the spectral norm is never larger
  const float scale = norm > how.clip_norm ? how.clip_norm / norm : 1;
  const Tail tail(dim - (D - W));
  if (how.adam) {
    for (int64_t i = 0; i < size; i += W) {
      const V g = load(gradient + i) * scale;
      const V m = load(first + i) + 0.1f * (g - load(first + i));
      const V s = 0.999f * load(second + i) + 0.001f * g * g;
      store(first + i, m);
      store(second + i, s);
      float root[W];
      store(root, s);
      for (int l = 0; l < W; ++l) root[l] = std::sqrt(root[l]);
      store(gradient + i, how.adam_rate * m / (load(root) + how.adam_epsilon));
    }
  }
  const float rate = how.adam ? 1 : how.rate * scale;
  for (int r = 0; r < rows; ++r) {
    float* p = parameter + int64_t(r) * dim;
    const float* g = gradient + int64_t(r) * D;
    for (int k = 0; k < D - W; k += W) store(p + k, load(p + k) - rate * load(g + k));
    tail.put(p + D - W, tail.get(p + D - W) - rate * load(g + D - W));
  }
  for (int64_t i = 0; i < size; i += W) store(gradient + i, V{});
}

}  // namespace
}  // namespace memn2n
