#include "session.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace memn2n {
namespace {

constexpr std::size_t kMostPairs = std::size_t{1} << 28;  // in one batch

// While it exists, numbers below 1e-38 count as 0. A network that has learned its task has many of them, and processors
// compute with them many times slower than with other numbers.
class FlushTinyNumbers {
#if defined(__SSE2__)
 public:
  FlushTinyNumbers() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushTinyNumbers() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
 public:
  FlushTinyNumbers() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t{1} << 24)));
  }
  ~FlushTinyNumbers() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_;
#endif
};

}  // namespace

Session::Session(const Network& network, const Kernel& kernel) : net_(network), kernel_(kernel) {
  const int D = stride();
  int64_t at = 0;
  const auto add = [&](int64_t rows) {
    offset_.push_back(at);
    at += rows * D;
  };
  for (int t = 0; t < net_.tables; ++t) add(net_.rows);
  for (int t = 0; t < net_.tables; ++t) add(net_.time[t] ? net_.slots : 0);
  add(net_.H ? net_.dim : 0);
  for (int k = 0; k < net_.hops; ++k) add(net_.gate[k] ? net_.dim : 0);
  for (int k = 0; k < net_.hops; ++k) add(net_.gate_bias[k] ? 1 : 0);
  offset_.push_back(at);
}

void Session::lay_out(const Stories& stories, const int64_t* examples, int n, bool supervised) {
  layout_.clear();
  for (int e = 0; e < n; ++e) {
    const int32_t begin = stories.story_start[examples[e]], end = stories.story_start[examples[e] + 1];
    const int filled = std::min(end - begin, net_.memory_size);
    if (layout_.sentence.size() + filled > kMostPairs) throw std::length_error("a batch has too many sentences");
    for (int i = 0; i < filled; ++i) {
      layout_.sentence.push_back(stories.story[end - 1 - i]);
      layout_.time.push_back(i);
    }
    if (supervised) {
      layout_.fact.resize(layout_.sentence.size());
      for (int i = stories.support_start[examples[e]]; i < stories.support_start[examples[e] + 1]; ++i) {
        const int age = end - begin - 1 - stories.support[i];
        if (age < filled) layout_.fact[layout_.start[e] + age] = true;
      }
    }
    layout_.start.push_back(static_cast<int32_t>(layout_.sentence.size()));
  }
}

// For a story of n sentences, draws b uniformly from 0 .. ceil(noise_rate n). The sentences keep their order and get n
// of the first n + b times; with Noise::empty, sentences without words get the other times.
void Session::add_noise(const Settings& settings, Random& random) {
  if (settings.noise == Noise::none) return;
  std::swap(before_noise_, layout_);
  const Layout& old = before_noise_;
  layout_.clear();
  const bool supervised = !old.fact.empty();
  auto& left_out = left_out_;
  for (std::size_t e = 0; e + 1 < old.start.size(); ++e) {
    const int n = old.start[e + 1] - old.start[e];
    const int most = static_cast<int>(std::ceil(settings.noise_rate * n));
    if (layout_.sentence.size() + n + most > 2 * kMostPairs) throw std::length_error("a batch has too many sentences");
    const int b = static_cast<int>(random.below(most + 1));
    const bool few = b <= n;  // draw the smaller set: the times left out, or the times taken
    left_out.assign(n + b, !few);
    for (int draws = few ? b : n; draws > 0;) {
      char& at = left_out[random.below(n + b)];
      if (at == few) continue;
      at = few;
      --draws;
    }
    int next = old.start[e], filled = 0;
    const auto take_next = [&](int time) {
      if (supervised) layout_.fact.push_back(old.fact[next]);
      layout_.sentence.push_back(old.sentence[next++]);
      layout_.time.push_back(time);
    };
    for (int t = 0; t < n + b; ++t) {
      if (settings.noise == Noise::empty && filled++ == net_.memory_size) break;
      if (!left_out[t]) {
        take_next(t);
      } else if (settings.noise == Noise::empty) {
        layout_.sentence.push_back(-1);
        layout_.time.push_back(t);
        if (supervised) layout_.fact.push_back(false);
      }
    }
    layout_.start.push_back(static_cast<int32_t>(layout_.sentence.size()));
  }
}

Result Session::run(const Stories& stories, const int64_t* examples, int n, bool linear, bool train,
                    float* probabilities, float supervision, double unknown_rate, Random* random,
                    const Renaming* renaming) {
  fill_batch(stories, examples, n, renaming);
  find_facts(linear ? 0 : supervision);
  if (renaming || unknown_rate > 0) change_words(renaming, unknown_rate, random);
  allocate(train);
  [[maybe_unused]] const FlushTinyNumbers flush;
  const Result result = kernel_.forward(net_, batch_, work_, linear, train, probabilities);
  if (train && std::isfinite(result.loss)) kernel_.backward(net_, batch_, work_, linear);
  return result;
}

// From the layout to a batch in which each distinct sentence appears once for each group of a renaming.
void Session::fill_batch(const Stories& stories, const int64_t* examples, int n, const Renaming* renaming) {
  const int64_t groups = renaming ? renaming->groups : 1;
  const int pairs = layout_.start[n], size = padded(std::max(pairs, 1), kBlock);
  row_.assign(size, 0);
  time_.assign(size, 0);
  // Padding belongs to the last example: then W pairs are of one example if the first and the last one are.
  example_.assign(size, std::max(n - 1, 0));
  empty_.resize(n);
  answer_.resize(n);
  question_.resize(n);
  question_length_.resize(n);
  sentence_.assign(1, nullptr);  // the sentence without words
  sentence_length_.assign(1, 0);
  sentence_group_.assign(1, 0);
  question_group_.resize(n);
  seen_.resize(stories.sentences * groups, 0);
  row_of_.resize(stories.sentences * groups);
  ++now_;
  int times = 1;
  for (int e = 0; e < n; ++e) {
    const int32_t group = groups > 1 ? renaming->group[examples[e]] : 0;
    question_group_[e] = group;
    for (int i = layout_.start[e]; i < layout_.start[e + 1]; ++i) {
      const int32_t s = layout_.sentence[i];
      if (s >= 0) {
        const int64_t key = s * groups + group;
        if (seen_[key] != now_) {
          seen_[key] = now_;
          row_of_[key] = static_cast<int32_t>(sentence_.size());
          sentence_.push_back(stories.words + stories.sentence_start[s]);
          sentence_length_.push_back(stories.sentence_start[s + 1] - stories.sentence_start[s]);
          sentence_group_.push_back(group);
        }
        row_[i] = row_of_[key];
      }
      time_[i] = std::min(layout_.time[i], net_.slots - 1);
      times = std::max(times, time_[i] + 1);
      example_[i] = e;
    }
    const int filled = layout_.start[e + 1] - layout_.start[e];
    empty_[e] = net_.keep_empty ? static_cast<float>(std::max(net_.slots - filled, 0)) : 0.0f;
    if (filled == 0) empty_[e] = 1;  // an empty story: the attention sums to 0
    answer_[e] = stories.answer[examples[e]];
    const int32_t q = stories.question[examples[e]];
    question_[e] = stories.words + stories.sentence_start[q];
    question_length_[e] = stories.sentence_start[q + 1] - stories.sentence_start[q];
  }
  batch_.examples = n;
  batch_.pairs = pairs;
  batch_.distinct = static_cast<int>(sentence_.size());
  batch_.times = times;
  batch_.start = layout_.start.data();
  batch_.row = row_.data();
  batch_.time = time_.data();
  batch_.example = example_.data();
  batch_.empty = empty_.data();
  batch_.sentence = sentence_.data();
  batch_.sentence_length = sentence_length_.data();
  batch_.question = question_.data();
  batch_.question_length = question_length_.data();
  batch_.answer = answer_.data();
}

// The pairs that are supporting facts. In the linear start (weight 0) there are none, because its attention is not made
// of probabilities.
void Session::find_facts(float supervision) {
  fact_.clear();
  if (supervision > 0)
    for (int i = 0; i < batch_.pairs; ++i)
      if (layout_.fact[i]) fact_.push_back(i);
  batch_.facts = static_cast<int>(fact_.size());
  batch_.fact = fact_.data();
  batch_.supervision = supervision;
}

// Renames the batch's words and answers, and replaces a share of its words by the unknown word, in a copy of its words.
void Session::change_words(const Renaming* renaming, double unknown_rate, Random* random) {
  int64_t total = 0;
  for (const auto* lengths : {&sentence_length_, &question_length_})
    for (const int32_t length : *lengths) total += length;
  words_.resize(total);
  int32_t* at = words_.data();
  const auto names = [&](int32_t group) {
    return renaming ? renaming->ids + static_cast<int64_t>(group) * net_.vocabulary : nullptr;
  };
  const auto copy = [&](const int32_t*& words, int32_t length, const int32_t* ids) {
    const int32_t* from = words;
    words = at;
    for (int j = 0; j < length; ++j) {
      const bool lost = unknown_rate > 0 && random->unit() < unknown_rate && from[j] != kNull;
      *at++ = lost ? kUnknown : ids ? ids[from[j]] : from[j];
    }
  };
  for (std::size_t s = 1; s < sentence_.size(); ++s) copy(sentence_[s], sentence_length_[s], names(sentence_group_[s]));
  for (std::size_t q = 0; q < question_.size(); ++q) {
    const int32_t* ids = names(question_group_[q]);
    copy(question_[q], question_length_[q], ids);
    if (ids && answer_[q] >= 0) answer_[q] = ids[answer_[q]];
  }
}

// Gives every array of the workspace its place in floats_.
void Session::allocate(bool train) {
  const int64_t D = stride(), examples = padded(batch_.examples, kBlock), pairs = padded(std::max(batch_.pairs, 1), kBlock);
  const int64_t logits = std::max(net_.rows, net_.dim) * int64_t{kColumns};
  for (int pass = 0; pass < 2; ++pass) {  // the first pass computes the size, the second sets the pointers
    float* base = pass ? floats_.at_least(0) : nullptr;
    int64_t size = 0;
    const auto place = [&](float*& array, int64_t n) {
      if (pass) array = base + size;
      size += (n + kBlock - 1) / kBlock * kBlock;
    };
    for (int t = 0; t < net_.tables; ++t) {
      if (!net_.memory[t]) continue;
      place(work_.E[t], batch_.distinct * D);
      place(work_.T[t], batch_.times * D);
      place(work_.gE[t], train ? batch_.distinct * D : 0);
      place(work_.gT[t], train ? batch_.times * D : 0);
    }
    for (int k = 0; k <= net_.hops; ++k) {
      place(work_.U[k], examples * D);
      place(work_.gU[k], train ? examples * D : 0);
    }
    for (int k = 0; k < net_.hops; ++k) {
      place(work_.p[k], pairs);
      place(work_.ds[k], train ? pairs : 0);
      place(work_.gate[k], net_.gate[k] ? examples * D : 0);
      place(work_.difference[k], net_.gate[k] ? examples * D : 0);
    }
    place(work_.gcarried, train && net_.gate[0] ? examples * D : 0);
    place(work_.gsum, train && net_.gate[0] ? examples * D : 0);
    place(work_.scratch, std::max(examples, pairs));
    place(work_.logits, logits);
    place(work_.transposed, net_.dim * int64_t{kColumns});
    place(work_.vectors, train ? 2 * D + std::max({net_.rows, net_.slots, net_.dim}) : 0);
    if (!pass) floats_.at_least(size + size / 4);  // the next batch may be a little larger
  }
  if (!train) return;
  for (int t = 0; t < net_.tables; ++t) {
    work_.G[t] = gradient(t);
    work_.gtime[t] = gradient(net_.tables + t);
  }
  work_.gH = gradient(2 * net_.tables);
  for (int k = 0; k < net_.hops; ++k) {
    work_.ggate[k] = gradient(2 * net_.tables + 1 + k);
    work_.ggate_bias[k] = gradient(2 * net_.tables + 1 + net_.hops + k);
  }
}

float* Session::gradient(int parameter) {
  const bool fresh = gradients_.empty();
  float* all = gradients_.at_least(offset_.back());
  if (fresh) std::fill_n(all, offset_.back(), 0.0f);
  return all + offset_[parameter];
}

void Session::attention(float* out, int64_t width, int64_t stride) const {
  for (int k = 0; k < net_.hops; ++k)
    for (int e = 0; e < batch_.examples; ++e) {
      float* row = out + (k * stride + e) * width;
      float* end = std::copy(work_.p[k] + layout_.start[e], work_.p[k] + layout_.start[e + 1], row);
      std::fill(end, row + width, 0.0f);
    }
}

void Session::update(const Settings& settings, float rate) {
  [[maybe_unused]] const FlushTinyNumbers flush;
  float *first = nullptr, *second = nullptr;
  if (settings.adam) {
    const bool fresh = first_.empty();
    first = first_.at_least(offset_.back());
    second = second_.at_least(offset_.back());
    if (fresh) {
      std::fill_n(first, offset_.back(), 0.0f);
      std::fill_n(second, offset_.back(), 0.0f);
    }
  }
  ++steps_;
  const double first_bias = 1 - std::pow(0.9, steps_), second_bias = std::sqrt(1 - std::pow(0.999, steps_));
  const Update how{rate, settings.clip_norm, settings.spectral, settings.adam,
                   static_cast<float>(rate * second_bias / first_bias), static_cast<float>(1e-8 * second_bias)};
  const auto step = [&](float* parameter, int i, int rows) {
    if (!parameter) return;
    kernel_.update(parameter, gradient(i), first ? first + offset_[i] : nullptr, second ? second + offset_[i] : nullptr,
                   rows, net_.dim, work_.vectors, how);
  };
  for (int t = 0; t < net_.tables; ++t) {
    step(net_.table[t], t, net_.rows);
    step(net_.time[t], net_.tables + t, net_.slots);
    std::fill_n(net_.table[t] + kNull * net_.dim, net_.dim, 0.0f);
  }
  step(net_.H, 2 * net_.tables, net_.dim);
  for (int k = 0; k < net_.hops; ++k) {
    step(net_.gate[k], 2 * net_.tables + 1 + k, net_.dim);
    step(net_.gate_bias[k], 2 * net_.tables + 1 + net_.hops + k, 1);
  }
}

}  // namespace memn2n
