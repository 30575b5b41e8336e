// Random numbers: xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64. Small, fast, and the same on every machine.
#pragma once

#include <cstdint>

namespace memn2n {

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (auto& s : state_) {
      seed += 0x9e3779b97f4a7c15u;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
      s = z ^ (z >> 31);
    }
  }

  uint64_t bits() {
    const auto rotate = [](uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
    const uint64_t result = rotate(state_[1] * 5, 7) * 9, t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  // Uniform over 0 .. n - 1, n > 0: 32 bits times n (Lemire). Its bias, n / 2^32, is far below what training can notice.
  int64_t below(int64_t n) { return static_cast<int64_t>(((bits() >> 32) * static_cast<uint64_t>(n)) >> 32); }

  // Uniform over [0, 1).
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

 private:
  uint64_t state_[4];
};

}  // namespace memn2n
