// The network as Python passes it to the engine, and the choice of an instruction set. Included only by module.cpp.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "session.hpp"

namespace memn2n {
namespace {

// The kernels that this processor can run, narrowest vectors first.
std::vector<const Kernel*> kernels() {
  std::vector<const Kernel*> found{baseline_kernel()};
#ifdef MEMN2N_X86
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return found;
  found.push_back(avx2_kernel());
  if (__builtin_cpu_supports("avx512f")) found.push_back(avx512_kernel());
#endif
  return found;
}

// The kernel of this name. Without a name: the widest vectors, or vectors of half the width if they save a quarter of a
// row (measured: half the width is a seventh faster at dim 20, and a quarter slower at dim 50).
const Kernel& choose(const std::string& name, int dim) {
  const auto found = kernels();
  if (name.empty()) {
    const bool halve = found.size() > 2 && 4 * padded(dim, found[1]->width) <= 3 * padded(dim, found[2]->width);
    return halve ? *found[1] : *found.back();
  }
  for (const Kernel* kernel : found)
    if (name == kernel->name) return *kernel;
  std::string names;
  for (const Kernel* kernel : found) names += std::string(names.empty() ? "" : ", ") + kernel->name;
  refuse("this machine has no instruction set " + name + "; it has " + names);
  return *found.front();
}

// A network on the parameters of a QANetwork. Checks settings and shapes once.
class NativeNetwork {
 public:
  NativeNetwork(std::vector<Writable> tables, std::vector<Writable> times, std::optional<Writable> H,
                std::vector<Writable> gates, std::vector<Writable> gate_biases, int hops,
                const std::string& encoding, const std::string& temporal, const std::string& tying, int linear,
                bool keep_empty, bool all_rows, int memory_size, int vocabulary, int longest, int slots,
                const std::string& instructions)
      : held_(tables) {
    net_.hops = hops;
    net_.keep_empty = keep_empty;
    net_.all_rows = all_rows;
    if (hops < 1 || hops > kMaxHops) refuse("hops is " + std::to_string(hops) + ": it must be from 1 to 8");
    net_.memory_size = within(memory_size, 1, "memory_size");
    net_.vocabulary = within(vocabulary, kSpecial + 1, "vocabulary");
    net_.longest = within(longest, 1, "longest_sentence");
    net_.slots = within(slots, 1, "slots");
    net_.encoding = encoding == "bow"           ? Encoding::bow
                    : encoding == "pe"          ? Encoding::pe
                    : encoding == "pe-official" ? Encoding::official
                                                : unknown<Encoding>("encoding", encoding);
    net_.temporal = temporal == "none"   ? Temporal::none
                    : temporal == "add"  ? Temporal::add
                    : temporal == "word" ? Temporal::word
                                         : unknown<Temporal>("temporal", temporal);
    if (net_.temporal == Temporal::word && net_.encoding == Encoding::pe)
      refuse("temporal must not be word with encoding pe");
    const bool adjacent = tying == "adjacent";
    if (!adjacent && tying != "layerwise") unknown<int>("tying", tying);
    net_.tables = adjacent ? hops + 1 : 4;
    for (int k = 0; k < hops; ++k) {
      net_.A[k] = adjacent ? k : 0;
      net_.C[k] = adjacent ? k + 1 : 1;
      net_.memory[net_.A[k]] = net_.memory[net_.C[k]] = true;
    }
    net_.B = adjacent ? 0 : 2;
    net_.W = adjacent ? hops : 3;
    net_.rows = vocabulary + (net_.temporal == Temporal::word ? slots : 0);
    if (static_cast<int>(tables.size()) != net_.tables)
      refuse("there must be " + std::to_string(net_.tables) + " tables, not " + std::to_string(tables.size()));
    if (tables[0].ndim() == 2) net_.dim = static_cast<int>(tables[0].shape(1));
    if (net_.dim < 1 || net_.dim > kMaxDim) refuse("dim is " + std::to_string(net_.dim) + ": it must be from 1 to 512");
    if (linear < 0 || linear > net_.dim)
      refuse("linear is " + std::to_string(linear) + ": it must be from 0 to " + std::to_string(net_.dim));
    net_.linear = linear;
    std::fill_n(net_.least, linear, -INFINITY);
    for (int t = 0; t < net_.tables; ++t) net_.table[t] = parameter(tables[t], "a table", net_.rows);
    std::size_t next = 0;
    if (net_.temporal == Temporal::add)
      for (int t = 0; t < net_.tables; ++t)
        if (net_.memory[t] && next < times.size()) {
          net_.time[t] = parameter(times[next], "times", slots);
          held_.push_back(times[next++]);
        }
    const std::size_t wanted = net_.temporal == Temporal::add ? (adjacent ? hops + 1 : 2) : 0;
    if (times.size() != wanted)
      refuse("there must be " + std::to_string(wanted) + " times, not " + std::to_string(times.size()));
    if (H) {
      net_.H = parameter(*H, "H", net_.dim);
      held_.push_back(*H);
    }
    const std::size_t gated = gates.empty() ? 0 : hops;
    for (const auto& [name, given] : {std::pair("gates", gates.size()), std::pair("gate_biases", gate_biases.size())})
      if (given != gated)
        refuse("there must be " + std::to_string(gated) + " " + name + ", not " + std::to_string(given));
    for (std::size_t k = 0; k < gated; ++k) {
      net_.gate[k] = parameter(gates[k], "a gate", net_.dim);
      net_.gate_bias[k] = bias(gate_biases[k], "a gate's bias");
      held_.push_back(gates[k]);
      held_.push_back(gate_biases[k]);
    }
    for (int k = 0; k < net_.dim; ++k)
      net_.position[k] = net_.encoding == Encoding::pe         ? (k + 1) / static_cast<float>(net_.dim)
                         : net_.encoding == Encoding::official ? k + 1 - (net_.dim + 1) / 2.0f
                                                               : 0;
    kernel_ = &choose(instructions, net_.dim);
  }

  const Network& get() const { return net_; }
  const Kernel& kernel() const { return *kernel_; }

  // A session for one call. Several threads may use the same network at a time, each with its own session.
  std::unique_ptr<Session> borrow() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.empty()) return std::make_unique<Session>(net_, *kernel_);
    std::unique_ptr<Session> session = std::move(idle_.back());
    idle_.pop_back();
    return session;
  }

  void give_back(std::unique_ptr<Session> session) {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(session));
  }

 private:
  template <class T>
  static T unknown(const char* name, const std::string& value) {
    refuse(std::string(name) + " is " + value + ", which the engine does not know");
    return T{};
  }

  static int within(int value, int low, const char* name) {
    constexpr int kLargest = 1 << 28;  // the sum of two such values is far below the largest int
    if (value < low || value > kLargest)
      refuse(std::string(name) + " is " + std::to_string(value) + ": it must be from " + std::to_string(low) + " to " +
             std::to_string(kLargest));
    return value;
  }

  float* parameter(const Writable& array, const char* name, int rows) {
    float* data = data_of<float>(array, name, 2, "float32");
    if (static_cast<int64_t>(array.shape(0)) != rows || static_cast<int64_t>(array.shape(1)) != net_.dim)
      refuse(std::string(name) + " has the shape " + shape_of(array) + ": it must be (" + std::to_string(rows) + ", " +
             std::to_string(net_.dim) + ")");
    return data;
  }

  float* bias(const Writable& array, const char* name) {
    float* data = data_of<float>(array, name, 1, "float32");
    if (static_cast<int64_t>(array.shape(0)) != net_.dim)
      refuse(std::string(name) + " has the shape " + shape_of(array) + ": it must be (" + std::to_string(net_.dim) + ")");
    return data;
  }

  std::vector<Writable> held_;
  Network net_;
  const Kernel* kernel_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Session>> idle_;
};

}  // namespace
}  // namespace memn2n
