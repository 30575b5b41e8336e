// The engine's door to Python: checks every array once, then works on it in place without Python's lock.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "session.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace memn2n {
namespace {

constexpr int kAtATime = 64;  // examples, where nothing is trained

// --- networks ------------------------------------------------------------------------------------------------------

// Those that can run here, the widest last.
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

// The widest vectors, or such of half the width where a quarter of a row would be padding otherwise (measured: halves
// are a seventh faster at dim 20, and a quarter slower at 50).
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
  refuse("there is no instruction set " + name + " here: there are " + names);
  return *found.front();
}

class NativeNetwork {
 public:
  NativeNetwork(std::vector<Writable> tables, std::vector<Writable> times, std::optional<Writable> H, int hops,
                const std::string& encoding, const std::string& temporal, const std::string& tying, bool relu,
                bool keep_empty, bool all_rows, int memory_size, int vocabulary, int longest, int slots,
                const std::string& instructions)
      : held_(tables) {
    net_.hops = hops;
    net_.relu = relu;
    net_.keep_empty = keep_empty;
    net_.all_rows = all_rows;
    if (hops < 1 || hops > kMaxHops) refuse("hops is " + std::to_string(hops) + ": the engine has from 1 to 8");
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
      refuse("temporal word does not go with encoding pe");
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
    if (net_.dim < 1 || net_.dim > kMaxDim) refuse("dim is " + std::to_string(net_.dim) + ": the engine has from 1 to 512");
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
    if (H.has_value() == adjacent) refuse("H goes with layer-wise tying, and only with it");
    if (H) {
      net_.H = parameter(*H, "H", net_.dim);
      held_.push_back(*H);
    }
    for (int k = 0; k < net_.dim; ++k)
      net_.position[k] = net_.encoding == Encoding::pe         ? (k + 1) / static_cast<float>(net_.dim)
                         : net_.encoding == Encoding::official ? k + 1 - (net_.dim + 1) / 2.0f
                                                               : 0;
    kernel_ = &choose(instructions, net_.dim);
  }

  const Network& get() const { return net_; }
  const Kernel& kernel() const { return *kernel_; }

  // A session for this call alone: several threads may ask the same network.
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
    constexpr int kLargest = 1 << 28;  // so that sums of two stay far from the end of int
    if (value < low || value > kLargest)
      refuse(std::string(name) + " is " + std::to_string(value) + ": it must be " + std::to_string(low) + " or more, and at most " +
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

  std::vector<Writable> held_;
  Network net_;
  const Kernel* kernel_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Session>> idle_;
};

// Calls work(session, examples, how many, first) for some examples at a time, without Python's lock.
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

std::pair<double, int64_t> measure(NativeNetwork& network, const StoryArrays& stories, const Array& examples, bool linear) {
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

// Probabilities (example, word from kSpecial on) and attention (hop, example, slot), latest first.
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

// A batch's loss and the gradient of every parameter: of the tables, the times, and H, in this order.
nb::object gradients(NativeNetwork& network, const StoryArrays& stories, const Array& examples, bool linear,
                     std::optional<std::tuple<Array, Array, Array>> layout) {
  stories.check_fits(network.get());
  const std::vector<int64_t> at = stories.positions(examples, true);
  const int n = batch_size(examples);
  const Network& net = network.get();
  Session session(net, network.kernel());
  session.lay_out(stories.get(), at.data(), n);
  if (layout) {
    const auto& [start, sentence, time] = *layout;
    const int32_t* s = data_of<const int32_t>(start, "start", 1, "int32");
    const int32_t* id = data_of<const int32_t>(sentence, "sentence", 1, "int32");
    const int32_t* t = data_of<const int32_t>(time, "time", 1, "int32");
    const int64_t pairs = static_cast<int64_t>(sentence.shape(0));
    if (static_cast<int64_t>(start.shape(0)) != n + 1 || static_cast<int64_t>(time.shape(0)) != pairs || s[0] != 0 || s[n] != pairs)
      refuse("the layout does not fit the examples");
    for (int e = 0; e < n; ++e)
      if (s[e] > s[e + 1]) refuse("the layout's starts must rise");
    for (int64_t i = 0; i < pairs; ++i)
      if (id[i] < -1 || id[i] >= stories.get().sentences || t[i] < 0) refuse("the layout holds an id out of range");
    session.layout() = Layout{{s, s + n + 1}, {id, id + pairs}, {t, t + pairs}};
  }
  const Result result = session.run(stories.get(), at.data(), n, linear, true, nullptr);
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
  return nb::make_tuple(result.loss, arrays);
}

// --- training ------------------------------------------------------------------------------------------------------

class NativeTrainer {
 public:
  NativeTrainer(nb::object network, nb::object stories, const Array& examples, int batch_size, double clip_norm,
                const std::string& clip, const std::string& optimizer, const std::string& noise, double noise_rate,
                double unknown_rate, const std::string& sampling, uint64_t seed)
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
                                         std::move(at), settings, seed);
  }

  // (sum of losses, wrong answers, questions) of an epoch
  std::tuple<double, int64_t, int64_t> epoch(double rate, bool linear) {
    const Alone alone(*this);
    const nb::gil_scoped_release unlocked;
    const Sums sums = trainer_->epoch(static_cast<float>(rate), linear);
    return {sums.result.loss, sums.result.wrong, sums.questions};
  }

  std::pair<double, int64_t> step(const Array& examples, double rate, bool linear) {
    const Alone alone(*this);
    const std::vector<int64_t> at = stories_.positions(examples, true);
    const Result result = trainer_->step(at.data(), batch_size(examples), static_cast<float>(rate), linear);
    return {result.loss, result.wrong};
  }

  std::tuple<std::vector<int32_t>, std::vector<int32_t>, std::vector<int32_t>> draw(const Array& examples) {
    const Alone alone(*this);
    const std::vector<int64_t> at = stories_.positions(examples, false);
    const Layout& layout = trainer_->draw(at.data(), batch_size(examples));
    return {layout.start, layout.sentence, layout.time};
  }

 private:
  struct Alone {
    std::atomic_flag& flag;
    explicit Alone(NativeTrainer& trainer) : flag(trainer.busy_) {
      if (flag.test_and_set()) throw std::runtime_error("this trainer is at work in another thread");
    }
    ~Alone() { flag.clear(); }
  };

  static bool one_of(const std::string& value, const char* name, const char* no, const char* yes) {
    if (value != no && value != yes) refuse(std::string(name) + " is " + value + ", which the engine does not know");
    return value == yes;
  }

  nb::object network_, held_stories_;  // whose memory is worked on
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
      .def(nb::init<Array, Array, Array, Array, Array, Array>(), "words"_a, "sentence_start"_a, "story"_a,
           "story_start"_a, "question"_a, "answer"_a);
  nb::class_<NativeNetwork>(m, "Network")
      .def(nb::init<std::vector<Writable>, std::vector<Writable>, std::optional<Writable>, int, const std::string&,
                    const std::string&, const std::string&, bool, bool, bool, int, int, int, int, const std::string&>(),
           "tables"_a, "times"_a, "H"_a.none(), nb::kw_only(), "hops"_a, "encoding"_a, "temporal"_a, "tying"_a, "relu"_a,
           "keep_empty"_a, "all_rows"_a, "memory_size"_a, "vocabulary"_a, "longest_sentence"_a, "slots"_a,
           "instruction_set"_a = "")
      .def_prop_ro("instruction_set", [](const NativeNetwork& n) { return n.kernel().name; })
      .def("measure", &measure, "stories"_a, "examples"_a, "linear"_a)
      .def("predict", &predict, "stories"_a, "examples"_a)
      .def("gradients", &gradients, "stories"_a, "examples"_a, "linear"_a, "layout"_a.none() = nb::none());
  nb::class_<NativeTrainer>(m, "Trainer")
      .def(nb::init<nb::object, nb::object, const Array&, int, double, const std::string&, const std::string&,
                    const std::string&, double, double, const std::string&, uint64_t>(),
           "network"_a, "stories"_a, "examples"_a, nb::kw_only(), "batch_size"_a, "clip_norm"_a, "clip"_a, "optimizer"_a,
           "noise"_a, "noise_rate"_a, "unknown_rate"_a, "sampling"_a, "seed"_a)
      .def("epoch", &NativeTrainer::epoch, "rate"_a, "linear"_a)
      .def("step", &NativeTrainer::step, "examples"_a, "rate"_a, "linear"_a)
      .def("draw", &NativeTrainer::draw, "examples"_a);
}
