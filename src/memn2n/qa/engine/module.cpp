// The Python module: checks every array once, then computes on it in place without Python's lock.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "native_network.hpp"
#include "trainer.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace memn2n {
namespace {

constexpr int kAtATime = 64;  // examples in a batch when nothing is trained

// Calls work(session, examples, count, first) for up to kAtATime examples at a time, without Python's lock. first is
// the position of the first one in at.
template <class F>
void in_parts(NativeNetwork& network, const StoryArrays& stories, const std::vector<int64_t>& at, const F& work) {
  const nb::gil_scoped_release unlocked;
  auto session = network.borrow();
  const int64_t n = static_cast<int64_t>(at.size());
  for (int64_t first = 0; first < n; first += kAtATime) {
    const int some = static_cast<int>(std::min<int64_t>(kAtATime, n - first));
    session->lay_out(stories.get(), at.data() + first, some);
    work(*session, at.data() + first, some, first);
  }
  network.give_back(std::move(session));
}

// (sum of losses, number of wrong answers)
std::pair<double, int64_t> score(NativeNetwork& network, const StoryArrays& stories, const Array& examples, bool linear) {
  stories.check_fits(network.get());
  Result sum;
  in_parts(network, stories, stories.positions(examples, true), [&](Session& session, const int64_t* at, int n, int64_t) {
    const Result result = session.run(stories.get(), at, n, linear, false, nullptr);
    sum.loss += result.loss;
    sum.wrong += result.wrong;
  });
  return {sum.loss, sum.wrong};
}

using Floats3 = nb::ndarray<nb::numpy, float, nb::ndim<3>>;
using Floats2 = nb::ndarray<nb::numpy, float, nb::ndim<2>>;

template <class A>
A new_array(std::unique_ptr<float[]> data, std::initializer_list<std::size_t> shape) {
  float* raw = data.release();
  const nb::capsule owner(raw, [](void* p) noexcept { delete[] static_cast<float*>(p); });
  return A(raw, shape, owner);
}

// Probabilities (example, word from kSpecial on) and attention (hop, example, slot), latest sentence first.
std::pair<Floats2, Floats3> predict(NativeNetwork& network, const StoryArrays& stories, const Array& examples) {
  stories.check_fits(network.get());
  const std::vector<int64_t> at = stories.positions(examples, false);
  const int64_t n = static_cast<int64_t>(at.size());
  const Network& net = network.get();
  int width = 0;
  for (const int64_t i : at)
    width = std::max(width, std::min(net.memory_size, stories.get().story_start[i + 1] - stories.get().story_start[i]));
  const int64_t words = net.vocabulary - kSpecial;
  std::unique_ptr<float[]> probabilities(new float[n * words + 1]), attention(new float[net.hops * n * width + 1]);
  in_parts(network, stories, at, [&](Session& session, const int64_t* some, int count, int64_t first) {
    session.run(stories.get(), some, count, false, false, probabilities.get() + first * words);
    session.attention(attention.get() + first * width, width, n);
  });
  return {new_array<Floats2>(std::move(probabilities), {static_cast<std::size_t>(n), static_cast<std::size_t>(words)}),
          new_array<Floats3>(std::move(attention), {static_cast<std::size_t>(net.hops), static_cast<std::size_t>(n),
                                                    static_cast<std::size_t>(width)})};
}

// A batch's loss and the gradients of the tables, the times, H, the gates and their biases, in this order. For tests of
// the engine. layout: (start, sentence, time, fact) of the memories in place of the stories' own.
nb::object gradients(NativeNetwork& network, const StoryArrays& stories, const Array& examples, bool linear,
                     std::optional<std::tuple<Array, Array, Array, Array>> layout, double supervision) {
  stories.check_fits(network.get());
  const float weight = stories.checked_supervision(supervision);
  const std::vector<int64_t> at = stories.positions(examples, true);
  const int n = batch_size(examples);
  const Network& net = network.get();
  Session session(net, network.kernel());
  session.lay_out(stories.get(), at.data(), n, weight > 0);
  if (layout) {
    const auto& [start, sentence, time, fact] = *layout;
    const int32_t* s = data_of<const int32_t>(start, "start", 1, "int32");
    const int32_t* id = data_of<const int32_t>(sentence, "sentence", 1, "int32");
    const int32_t* t = data_of<const int32_t>(time, "time", 1, "int32");
    const int32_t* f = data_of<const int32_t>(fact, "fact", 1, "int32");
    const int64_t pairs = static_cast<int64_t>(sentence.shape(0));
    if (static_cast<int64_t>(start.shape(0)) != n + 1 || static_cast<int64_t>(time.shape(0)) != pairs ||
        static_cast<int64_t>(fact.shape(0)) != pairs || s[0] != 0 || s[n] != pairs)
      refuse("the layout does not fit the examples");
    for (int e = 0; e < n; ++e)
      if (s[e] > s[e + 1]) refuse("the layout's starts must rise");
    for (int64_t i = 0; i < pairs; ++i)
      if (id[i] < -1 || id[i] >= stories.get().sentences || t[i] < 0) refuse("the layout holds an id out of range");
    session.layout() = Layout{{s, s + n + 1}, {id, id + pairs}, {t, t + pairs}, {f, f + pairs}};
  }
  const Result result = session.run(stories.get(), at.data(), n, linear, true, nullptr, weight);
  nb::list arrays;
  const auto add = [&](int parameter, int rows) {
    std::unique_ptr<float[]> copy(new float[int64_t{rows} * net.dim]);
    for (int r = 0; r < rows; ++r)
      std::copy_n(session.gradient(parameter) + int64_t{r} * session.stride(), net.dim, copy.get() + int64_t{r} * net.dim);
    arrays.append(new_array<Floats2>(std::move(copy), {static_cast<std::size_t>(rows), static_cast<std::size_t>(net.dim)}));
  };
  for (int t = 0; t < net.tables; ++t) add(t, net.rows);
  for (int t = 0; t < net.tables; ++t)
    if (net.time[t]) add(net.tables + t, net.slots);
  if (net.H) add(2 * net.tables, net.dim);
  if (net.gate[0]) {
    for (int k = 0; k < net.hops; ++k) add(2 * net.tables + 1 + k, net.dim);
    for (int k = 0; k < net.hops; ++k) add(2 * net.tables + 1 + net.hops + k, 1);
  }
  return nb::make_tuple(result.loss, arrays);
}

// A Trainer that Python owns. Checks settings and examples, and refuses to be used by two threads at a time.
class NativeTrainer {
 public:
  NativeTrainer(nb::object network, nb::object stories, const Array& examples, int batch_size, double clip_norm,
                const std::string& clip, const std::string& optimizer, const std::string& noise, double noise_rate,
                double unknown_rate, const std::string& sampling, uint64_t seed, const std::optional<Array>& groups)
      : network_(network), held_stories_(stories), stories_(nb::cast<const StoryArrays&>(stories)) {
    const auto& net = nb::cast<NativeNetwork&>(network);
    stories_.check_fits(net.get());
    std::vector<int64_t> at = stories_.positions(examples, true);
    if (at.empty()) refuse("there is no example to train on");
    if (batch_size < 1 || batch_size > 1 << 20)
      refuse("batch_size is " + std::to_string(batch_size) + ": it must be from 1 to " + std::to_string(1 << 20));
    if (!(noise_rate >= 0 && noise_rate <= 10)) refuse("noise_rate must be from 0 to 10");
    if (!(unknown_rate >= 0 && unknown_rate <= 1)) refuse("unknown_rate must be from 0 to 1");
    if (!(clip_norm > 0)) refuse("clip_norm must be above 0");
    Settings settings;
    settings.batch_size = batch_size;
    settings.clip_norm = static_cast<float>(clip_norm);
    settings.spectral = one_of(clip, "clip", "frobenius", "spectral");
    settings.adam = one_of(optimizer, "optimizer", "sgd", "adam");
    settings.replacement = one_of(sampling, "sampling", "permutation", "replacement");
    settings.noise = noise == "none" ? Noise::none : one_of(noise, "noise", "jitter", "empty") ? Noise::empty : Noise::jitter;
    settings.noise_rate = noise_rate;
    settings.unknown_rate = unknown_rate;
    trainer_ = std::make_unique<Trainer>(net.get(), net.kernel(), stories_.get(),
                                         std::move(at), settings, seed, checked_groups(groups));
  }

  int64_t batches() const { return trainer_->batches(); }

  // (sum of losses, number of wrong answers, number of questions) of an epoch
  std::tuple<double, int64_t, int64_t> epoch(double rate, bool linear, double supervision,
                                             const std::optional<Array>& renamings, const std::optional<Array>& order) {
    const Alone alone(*this);
    const float weight = stories_.checked_supervision(supervision);
    const std::vector<int64_t> at = order ? stories_.positions(*order, true) : std::vector<int64_t>();
    if (order && at.empty()) refuse("there is no example to train on");
    const int64_t size = trainer_->batch_size(), batches = (static_cast<int64_t>(at.size()) + size - 1) / size;
    const std::vector<int32_t> names = checked_renamings(renamings, order ? batches : trainer_->batches());
    const nb::gil_scoped_release unlocked;
    const Sums sums =
        trainer_->epoch(static_cast<float>(rate), linear, weight, names.empty() ? nullptr : names.data(), at);
    return {sums.result.loss, sums.result.wrong, sums.questions};
  }

  std::pair<double, int64_t> step(const Array& examples, double rate, bool linear, double supervision,
                                  const std::optional<Array>& renamings) {
    const Alone alone(*this);
    const float weight = stories_.checked_supervision(supervision);
    const std::vector<int64_t> at = stories_.positions(examples, true);
    const std::vector<int32_t> names = checked_renamings(renamings, 1);
    const Result result = trainer_->step(at.data(), batch_size(examples), static_cast<float>(rate), linear, weight,
                                         names.empty() ? nullptr : names.data());
    return {result.loss, result.wrong};
  }

  // (start, sentence, time, fact) of a batch with noise; fact is empty if the stories have no support.
  std::tuple<std::vector<int32_t>, std::vector<int32_t>, std::vector<int32_t>, std::vector<int32_t>> draw(
      const Array& examples) {
    const Alone alone(*this);
    const std::vector<int64_t> at = stories_.positions(examples, false);
    const Layout& layout = trainer_->draw(at.data(), batch_size(examples), stories_.get().support);
    return {layout.start, layout.sentence, layout.time, {layout.fact.begin(), layout.fact.end()}};
  }

 private:
  std::vector<int32_t> checked_groups(const std::optional<Array>& groups) const {
    if (!groups) return {};
    constexpr int32_t kMostGroups = 1 << 12;
    const int32_t* given = data_of<const int32_t>(*groups, "groups", 1, "int32");
    const std::vector<int32_t> copy(given, given + groups->shape(0));
    if (static_cast<int64_t>(copy.size()) != stories_.get().examples) refuse("groups must have an entry for each story");
    for (const int32_t group : copy)
      if (group < 0 || group >= kMostGroups)
        refuse("groups holds " + std::to_string(group) + ": it must be from 0 to " + std::to_string(kMostGroups - 1));
    return copy;
  }

  // A copy of the ids that stand for the word ids, (batches, groups, vocabulary); empty without renamings. Null and
  // unknown must stay what they are.
  std::vector<int32_t> checked_renamings(const std::optional<Array>& renamings, int64_t batches) const {
    if (!renamings) return {};
    const int32_t* given = data_of<const int32_t>(*renamings, "renamings", 3, "int32");
    const int64_t groups = trainer_->groups(), words = nb::cast<NativeNetwork&>(network_).get().vocabulary;
    const int64_t needed[] = {batches, groups, words};
    for (int i = 0; i < 3; ++i)
      if (static_cast<int64_t>(renamings->shape(i)) != needed[i])
        refuse("renamings has the shape " + shape_of(*renamings) + ": it must be (" + std::to_string(batches) + ", " +
               std::to_string(groups) + ", " + std::to_string(words) + ")");
    const std::vector<int32_t> copy(given, given + batches * groups * words);
    for (int64_t i = 0; i < batches * groups * words; ++i)
      if (i % words < kSpecial ? copy[i] != i % words : copy[i] < kSpecial || copy[i] >= words)
        refuse("renamings has " + std::to_string(copy[i]) + " for the id " + std::to_string(i % words));
    return copy;
  }

  struct Alone {  // holds the trainer for one call
    std::atomic_flag& flag;
    explicit Alone(NativeTrainer& trainer) : flag(trainer.busy_) {
      if (flag.test_and_set()) throw std::runtime_error("another thread is using this trainer");
    }
    ~Alone() { flag.clear(); }
  };

  static bool one_of(const std::string& value, const char* name, const char* no, const char* yes) {
    if (value != no && value != yes) refuse(std::string(name) + " is " + value + ", which the engine does not know");
    return value == yes;
  }

  nb::object network_, held_stories_;  // own the memory that the trainer uses
  const StoryArrays& stories_;
  std::unique_ptr<Trainer> trainer_;
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

}  // namespace
}  // namespace memn2n

NB_MODULE(_native, m) {
  using namespace memn2n;
  m.def("instruction_sets", [] {
    std::vector<std::string> names;
    for (const Kernel* kernel : kernels()) names.push_back(kernel->name);
    return names;
  });
  m.attr("MOST_HOPS") = kMaxHops;
  m.attr("LARGEST_DIM") = kMaxDim;
  nb::class_<StoryArrays>(m, "Stories")
      .def(nb::init<Array, Array, Array, Array, Array, Array, std::optional<Array>, std::optional<Array>>(), "words"_a,
           "sentence_start"_a, "story"_a, "story_start"_a, "question"_a, "answer"_a, "support"_a = nb::none(),
           "support_start"_a = nb::none());
  nb::class_<NativeNetwork>(m, "Network")
      .def(nb::init<std::vector<Writable>, std::vector<Writable>, std::optional<Writable>, std::vector<Writable>,
                    std::vector<Writable>, int, const std::string&, const std::string&, const std::string&, int, bool,
                    bool, int, int, int, int, const std::string&>(),
           "tables"_a, "times"_a, "H"_a.none(), nb::kw_only(), "gates"_a = std::vector<Writable>(),
           "gate_biases"_a = std::vector<Writable>(), "hops"_a, "encoding"_a, "temporal"_a, "tying"_a, "linear"_a,
           "keep_empty"_a, "all_rows"_a, "memory_size"_a, "vocabulary"_a, "longest_sentence"_a, "slots"_a,
           "instruction_set"_a = "")
      .def_prop_ro("instruction_set", [](const NativeNetwork& n) { return n.kernel().name; })
      .def("score", &score, "stories"_a, "examples"_a, "linear"_a)
      .def("predict", &predict, "stories"_a, "examples"_a)
      .def("gradients", &gradients, "stories"_a, "examples"_a, "linear"_a, "layout"_a.none() = nb::none(),
           "supervision"_a = 0.0);
  nb::class_<NativeTrainer>(m, "Trainer")
      .def(nb::init<nb::object, nb::object, const Array&, int, double, const std::string&, const std::string&,
                    const std::string&, double, double, const std::string&, uint64_t, const std::optional<Array>&>(),
           "network"_a, "stories"_a, "examples"_a, nb::kw_only(), "batch_size"_a, "clip_norm"_a, "clip"_a, "optimizer"_a,
           "noise"_a, "noise_rate"_a, "unknown_rate"_a, "sampling"_a, "seed"_a, "groups"_a.none() = nb::none())
      .def("batches", &NativeTrainer::batches)
      .def("epoch", &NativeTrainer::epoch, "rate"_a, "linear"_a, "supervision"_a = 0.0,
           "renamings"_a.none() = nb::none(), "order"_a.none() = nb::none())
      .def("step", &NativeTrainer::step, "examples"_a, "rate"_a, "linear"_a, "supervision"_a = 0.0,
           "renamings"_a.none() = nb::none())
      .def("draw", &NativeTrainer::draw, "examples"_a);
}
