// Checks of the arrays that come from Python: their type, shape, and every index in them. Included only by module.cpp.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "network.hpp"

namespace nb = nanobind;

namespace memn2n {
namespace {

using Array = nb::ndarray<nb::ro>;
using Writable = nb::ndarray<>;

template <class A>
std::string shape_of(const A& array) {
  std::string text = "(";
  for (std::size_t i = 0; i < array.ndim(); ++i) text += (i ? ", " : "") + std::to_string(array.shape(i));
  return text + ")";
}

// The data of an array that must have type T and this number of dimensions, be contiguous and on the CPU.
template <class T, class A>
T* data_of(const A& array, const char* name, std::size_t dimensions, const char* type) {
  if (array.device_type() != nb::device::cpu::value) throw nb::value_error((std::string(name) + " is not on the CPU").c_str());
  if (array.dtype() != nb::dtype<std::remove_const_t<T>>())
    throw nb::type_error((std::string(name) + " must be an array of " + type).c_str());
  if (array.ndim() != dimensions)
    throw nb::value_error((std::string(name) + " has the shape " + shape_of(array) + ": it must have " +
                           std::to_string(dimensions) + " dimension" + (dimensions > 1 ? "s" : "")).c_str());
  int64_t stride = 1;
  for (std::size_t i = dimensions; i-- > 0;) {
    if (array.shape(i) > 1 && array.stride(i) != stride)
      throw nb::value_error((std::string(name) + " must be contiguous").c_str());
    stride *= static_cast<int64_t>(array.shape(i));
  }
  void* data = const_cast<void*>(static_cast<const void*>(array.data()));
  if (reinterpret_cast<uintptr_t>(data) % sizeof(T)) throw nb::value_error((std::string(name) + " is not aligned").c_str());
  return static_cast<T*>(data);
}

inline void refuse(const std::string& message) { throw nb::value_error(message.c_str()); }

inline int batch_size(const Array& examples) {
  constexpr std::size_t kLargest = 1 << 20;
  if (examples.shape(0) > kLargest) refuse("a batch must have at most " + std::to_string(kLargest) + " examples");
  return static_cast<int>(examples.shape(0));
}

// The arrays of a StorySet.
class StoryArrays {
 public:
  StoryArrays(Array words, Array sentence_start, Array story, Array story_start, Array question, Array answer,
              std::optional<Array> support, std::optional<Array> support_start)
      : held_{words, sentence_start, story, story_start, question, answer} {
    stories_.words = ints(words, "words");
    stories_.sentence_start = ints(sentence_start, "sentence_start");
    stories_.story = ints(story, "story");
    stories_.story_start = ints(story_start, "story_start");
    stories_.question = ints(question, "question");
    stories_.answer = ints(answer, "answer");
    if (!sentence_start.shape(0) || !story_start.shape(0)) refuse("sentence_start and story_start must not be empty");
    stories_.sentences = static_cast<int64_t>(sentence_start.shape(0)) - 1;
    stories_.examples = static_cast<int64_t>(story_start.shape(0)) - 1;
    if (static_cast<int64_t>(question.shape(0)) != stories_.examples ||
        static_cast<int64_t>(answer.shape(0)) != stories_.examples)
      refuse("question and answer must have an entry for each story");
    check_starts(stories_.sentence_start, stories_.sentences, words.shape(0), "sentence_start");
    check_starts(stories_.story_start, stories_.examples, story.shape(0), "story_start");
    largest_word_ = check_range(stories_.words, words.shape(0), 0, INT32_MAX, "words");
    check_range(stories_.story, story.shape(0), 0, stories_.sentences, "story");
    check_range(stories_.question, question.shape(0), 0, stories_.sentences, "question");
    largest_answer_ = check_range(stories_.answer, answer.shape(0), -1, INT32_MAX, "answer");
    if (support.has_value() != support_start.has_value()) refuse("support and support_start must be given together");
    if (support) hold_support(*support, *support_start);
  }

  const Stories& get() const { return stories_; }

  // Checks a weight of the attention's loss, and that the stories have supporting facts if it is not 0.
  float checked_supervision(double weight) const {
    constexpr double kLargest = 1e6;  // keeps the gradient finite at the least attention
    if (!(weight >= 0 && weight <= kLargest)) refuse("supervision must be from 0 to 1000000");
    if (weight > 0 && !stories_.support)
      refuse("supervision needs supporting facts: pass support and support_start to Stories");
    return static_cast<float>(weight);
  }

  void check_fits(const Network& net) const {
    if (largest_word_ >= net.vocabulary || largest_answer_ >= net.vocabulary)
      refuse("a word id is " + std::to_string(std::max(largest_word_, largest_answer_)) +
             ", but the vocabulary has only " + std::to_string(net.vocabulary) + " ids");
  }

  // Checked positions of examples. A copy, because Python may write to the array while its lock is released. With
  // answered, each example must have a word as its answer.
  std::vector<int64_t> positions(const Array& examples, bool answered) const {
    const int64_t* given = data_of<const int64_t>(examples, "examples", 1, "int64");
    const std::vector<int64_t> at(given, given + examples.shape(0));
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (at[i] < 0 || at[i] >= stories_.examples)
        refuse("example " + std::to_string(at[i]) + " does not exist; there are " + std::to_string(stories_.examples));
      if (answered && stories_.answer[at[i]] < kSpecial)
        refuse("the answer of example " + std::to_string(at[i]) + " is not a word of the vocabulary");
    }
    return at;
  }

 private:
  void hold_support(const Array& support, const Array& support_start) {
    const int32_t* at = ints(support, "support");
    const int32_t* start = ints(support_start, "support_start");
    if (static_cast<int64_t>(support_start.shape(0)) != stories_.examples + 1)
      refuse("support_start must have an entry for each story, and one more");
    check_starts(start, stories_.examples, support.shape(0), "support_start");
    for (int64_t e = 0; e < stories_.examples; ++e)
      check_range(at + start[e], start[e + 1] - start[e], 0, stories_.story_start[e + 1] - stories_.story_start[e],
                  "support");
    held_.push_back(support);
    held_.push_back(support_start);
    stories_.support = at;
    stories_.support_start = start;
  }

  static const int32_t* ints(const Array& array, const char* name) {
    return data_of<const int32_t>(array, name, 1, "int32");
  }

  static void check_starts(const int32_t* start, int64_t n, std::size_t end, const char* name) {
    bool ok = start[0] == 0 && start[n] == static_cast<int64_t>(end);
    for (int64_t i = 0; ok && i < n; ++i) ok = start[i] <= start[i + 1];
    if (!ok) refuse(std::string(name) + " must rise from 0 to " + std::to_string(end));
  }

  static int64_t check_range(const int32_t* values, std::size_t n, int64_t low, int64_t high, const char* name) {
    int64_t largest = -1;
    for (std::size_t i = 0; i < n; ++i) {
      if (values[i] < low || values[i] >= high)
        refuse(std::string(name) + " holds " + std::to_string(values[i]) + ": it must be from " + std::to_string(low) +
               " to " + std::to_string(high - 1));
      largest = std::max<int64_t>(largest, values[i]);
    }
    return largest;
  }

  std::vector<Array> held_;
  Stories stories_;
  int64_t largest_word_ = -1, largest_answer_ = -1;
};

}  // namespace
}  // namespace memn2n
