// One network at work: makes batches from flat arrays, with noise, and runs a kernel over them.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "network.hpp"

namespace memn2n {

// xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64: small, fast, the same everywhere.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t bits();
  int64_t below(int64_t n);  // uniform over 0..n-1, n > 0
  double unit();             // uniform over [0, 1)

 private:
  uint64_t state_[4];
};

// Floats at a vector's alignment; grows, and then holds nothing of what it held.
class Floats {
 public:
  bool empty() const { return !data_; }
  float* at_least(int64_t n) {
    if (n > size_) {
      data_.reset(static_cast<float*>(::operator new(static_cast<std::size_t>(n) * sizeof(float), kAlignment)));
      size_ = n;
    }
    return data_.get();
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* p) const { ::operator delete(p, kAlignment); }
  };
  std::unique_ptr<float, Free> data_;
  int64_t size_ = 0;
};

enum class Noise { none, jitter, empty };

struct Settings {  // see TrainingConfig
  int batch_size = 32;
  float clip_norm = 40;
  bool spectral = true;
  bool adam = false;
  Noise noise = Noise::none;
  double noise_rate = 0;
  double unknown_rate = 0;
  bool replacement = true;
};

// Memories before their words are looked up: what noise acts on.
struct Layout {
  std::vector<int32_t> start, sentence, time;  // sentence -1: without words

  void clear() {
    start.assign(1, 0);
    sentence.clear();
    time.clear();
  }
};

class Session {
 public:
  Session(const Network& network, const Kernel& kernel);

  // Without noise; the layout is the latest memory_size sentences of each story, latest first.
  void lay_out(const Stories& stories, const int64_t* examples, int n);
  void add_noise(const Settings& settings, Random& random);
  Layout& layout() { return layout_; }

  // Loss of the batch that was laid out. While training, gradients are added to those that are there.
  Result run(const Stories& stories, const int64_t* examples, int n, bool linear, bool train, float* probabilities,
             double unknown_rate = 0, Random* random = nullptr);
  // Of the batch: rows of width floats, 0 beyond a story; from one hop to the next it is stride rows.
  void attention(float* out, int64_t width, int64_t stride) const;

  // Gradients of the tables, then of the time rows by table, then of H: rows of stride() floats.
  float* gradient(int parameter);
  int stride() const { return padded(net_.dim, kernel_.width); }
  void update(const Settings& settings, float rate);

  const Network& network() const { return net_; }

 private:
  void room(bool train);

  const Network net_;
  const Kernel& kernel_;
  Layout layout_, before_noise_;
  std::vector<char> left_out_;  // (time) of one story
  Batch batch_;
  Room room_ = {};
  std::vector<int32_t> row_, time_, example_, sentence_length_, question_length_, answer_, words_, row_of_;
  std::vector<int64_t> seen_;
  int64_t now_ = 0;
  std::vector<float> empty_;
  std::vector<const int32_t*> sentence_, question_;
  Floats work_, gradients_, first_, second_;
  std::vector<int64_t> offset_;  // of each parameter's gradient
  int64_t steps_ = 0;
};

struct Sums {
  Result result;
  int64_t questions = 0;
};

// Training of one network on some examples.
class Trainer {
 public:
  Trainer(const Network& network, const Kernel& kernel, const Stories& stories, std::vector<int64_t> examples,
          const Settings& settings, uint64_t seed);

  Sums epoch(float rate, bool linear);
  Result step(const int64_t* examples, int n, float rate, bool linear);
  const Layout& draw(const int64_t* examples, int n);  // a batch's layout, with noise

 private:
  Session session_;
  const Stories stories_;
  const std::vector<int64_t> examples_;
  const Settings settings_;
  Random random_;
};

}  // namespace memn2n
