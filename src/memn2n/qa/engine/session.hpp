// Runs one network: makes batches from a StorySet's flat arrays and passes them to a kernel.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "network.hpp"
#include "random.hpp"

namespace memn2n {

// An array of floats, aligned for every vector. Growing it discards its contents.
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

struct Settings {  // see TrainingConfig in memn2n/qa/config.py
  int batch_size = 32;
  float clip_norm = 40;
  bool spectral = true;
  bool adam = false;
  Noise noise = Noise::none;
  double noise_rate = 0;
  double unknown_rate = 0;
  bool replacement = true;
};

// The memories of a batch as sentence ids and times. Random noise acts on this.
struct Layout {
  std::vector<int32_t> start, sentence, time;  // sentence -1 has no words
  std::vector<char> fact;                      // whether it is a supporting fact; empty without supervision

  void clear() {
    start.assign(1, 0);
    sentence.clear();
    time.clear();
    fact.clear();
  }
};

class Session {
 public:
  Session(const Network& network, const Kernel& kernel);

  // Fills the layout with the latest memory_size sentences of each story, latest first, without noise. With supervised,
  // which needs stories.support, also fills its facts.
  void lay_out(const Stories& stories, const int64_t* examples, int n, bool supervised = false);
  void add_noise(const Settings& settings, Random& random);
  Layout& layout() { return layout_; }

  // The loss of the batch in the layout. With train, adds to the gradients. With supervision, the weight of the loss of
  // the attention, the layout must have facts. Words and answers are renamed if renaming is not null.
  Result run(const Stories& stories, const int64_t* examples, int n, bool linear, bool train, float* probabilities,
             float supervision = 0, double unknown_rate = 0, Random* random = nullptr, const Renaming* renaming = nullptr);
  // Writes the attention of the last batch. An example has a row of width floats, 0 beyond its story; the rows of the
  // next hop begin stride rows later.
  void attention(float* out, int64_t width, int64_t stride) const;

  // A parameter's gradient, in rows of stride() floats. Parameters are numbered: first the tables, then the time rows
  // by table, then H, then the gates by hop, then their biases by hop.
  float* gradient(int parameter);
  int stride() const { return padded(net_.dim, kernel_.width); }
  void update(const Settings& settings, float rate);

  const Network& network() const { return net_; }

 private:
  void fill_batch(const Stories& stories, const int64_t* examples, int n, const Renaming* renaming);
  void find_facts(float supervision);
  void change_words(const Renaming* renaming, double unknown_rate, Random* random);
  void allocate(bool train);

  const Network net_;
  const Kernel& kernel_;
  Layout layout_, before_noise_;
  std::vector<char> left_out_;  // (time) of one story
  Batch batch_;
  Workspace work_ = {};
  // The arrays that batch_ points to.
  std::vector<int32_t> row_, time_, example_, sentence_length_, question_length_, answer_, words_,
      fact_, sentence_group_, question_group_;
  std::vector<float> empty_;
  std::vector<const int32_t*> sentence_, question_;
  // Of each sentence: the last batch that it was in, and its row there.
  std::vector<int64_t> seen_;
  std::vector<int32_t> row_of_;
  int64_t now_ = 0;
  Floats floats_, gradients_, first_, second_;  // of the workspace, the gradients and Adam's moments
  std::vector<int64_t> offset_;                 // of each parameter in gradients_ and the moments
  int64_t steps_ = 0;
};

}  // namespace memn2n
