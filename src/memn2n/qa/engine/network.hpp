// The structs that all parts of the engine share: plain numbers and pointers, the same for every instruction set.
//
// Names are those of memn2n/qa/networks/memn2n.py, the reference implementation. Equation and section numbers are those
// of Sukhbaatar, Szlam, Weston, Fergus: End-To-End Memory Networks (2015). The gate is that of Liu, Perez: Gated
// End-to-End Memory Networks (2016).
#pragma once

#include <cstdint>

namespace memn2n {

constexpr int kMaxHops = 8;
constexpr int kMaxTables = kMaxHops + 1;
constexpr int kMaxDim = 512;
constexpr int kColumns = 32;  // examples in one matrix product
constexpr int kBlock = 16;    // arrays over pairs and examples are padded to a multiple of the widest vector

constexpr int kNull = 0;  // word ids, as in memn2n/qa/vocabulary.py
constexpr int kUnknown = 1;
constexpr int kSpecial = 2;

enum class Encoding { bow, pe, official };
enum class Temporal { none, add, word };

// The arrays of a StorySet (memn2n/qa/stories.py), in NumPy's memory.
struct Stories {
  const int32_t* words = nullptr;
  const int32_t* sentence_start = nullptr;
  const int32_t* story = nullptr;
  const int32_t* story_start = nullptr;
  const int32_t* question = nullptr;
  const int32_t* answer = nullptr;
  const int32_t* support = nullptr;  // positions in the story; null if they are not known
  const int32_t* support_start = nullptr;
  int64_t sentences = 0;
  int64_t examples = 0;
};

// The network: its settings, and its parameters in PyTorch's memory, each (rows, dim) without padding.
struct Network {
  int dim = 0, hops = 0;
  Encoding encoding = Encoding::bow;
  Temporal temporal = Temporal::none;
  int linear = 0;           // the components from this one on pass through a ReLU after each hop
  bool keep_empty = false;  // empty slots take their share of the attention
  bool all_rows = false;    // null and time words compete in the answer's softmax
  int memory_size = 0;
  int vocabulary = 0;
  int longest = 0;  // number of words of the longest sentence of the training data
  int slots = 0;    // memory slots, see DataShape.slots
  int rows = 0;     // rows of each table: the vocabulary and, with Temporal::word, the time words

  int tables = 0;
  float* table[kMaxTables] = {};
  float* time[kMaxTables] = {};  // T by table, with Temporal::add and for tables that encode memories
  float* H = nullptr;            // multiplies the state between hops; null if it stays what it is
  float* gate[kMaxHops] = {};    // G by hop, (dim, dim), and b, (dim): all null, or none
  float* gate_bias[kMaxHops] = {};
  int A[kMaxHops] = {}, C[kMaxHops] = {}, B = 0, W = 0;  // indices of tables, A and C by hop
  bool memory[kMaxTables] = {};                          // whether a table encodes memories

  // Position encoding: component k of word j weighs a_j + b_j position[k].
  float position[kMaxDim] = {};
  // The least value of each component of the state: 0 after a ReLU, else minus infinity.
  float least[kMaxDim] = {};
};

// Functions of this header are static, so that each instruction set has its own copy.
// J of the official position encoding: a time word is one more word.
static inline int official_longest(const Network& net) { return net.longest + (net.temporal == Temporal::word); }

// Whether a table row does not compete in the answer's softmax.
static inline bool closed(const Network& net, int row) {
  return row == kUnknown || (!net.all_rows && (row == kNull || row >= net.vocabulary));
}

// The smallest multiple of width that is n or more.
static inline int padded(int n, int width) { return (n + width - 1) / width * width; }

// The word ids that stand for the word ids of a batch. Examples of one group are renamed alike.
struct Renaming {
  const int32_t* ids = nullptr;    // (group, vocabulary)
  const int32_t* group = nullptr;  // (example of the stories); null if there is one group
  int groups = 1;
};

// One batch. A pair is an example with one sentence of its memory; example e has the pairs from start[e] up to
// start[e + 1], latest sentence first.
struct Batch {
  int examples = 0;
  int pairs = 0;
  int distinct = 0;  // number of distinct sentences; the first one has no words
  int times = 0;     // all time indices are below this number
  const int32_t* start = nullptr;
  const int32_t* row = nullptr;      // (pair) index of the distinct sentence
  const int32_t* time = nullptr;     // (pair)
  const int32_t* example = nullptr;  // (pair)
  const float* empty = nullptr;      // (example) number of empty slots that take part in the attention
  const int32_t* const* sentence = nullptr;  // (distinct) word ids
  const int32_t* sentence_length = nullptr;
  const int32_t* const* question = nullptr;  // (example) word ids
  const int32_t* question_length = nullptr;
  const int32_t* answer = nullptr;  // (example) word id, or negative
  const int32_t* fact = nullptr;    // the pairs that are supporting facts
  int facts = 0;                    // their number, 0 without attention supervision
  float supervision = 0;            // weight of their loss
};

// Memory for the intermediate results of a batch. A row has D floats: dim, padded with zeros to whole vectors.
struct Workspace {
  float *E[kMaxTables], *gE[kMaxTables];  // (distinct, D) sentences as encoded by each table, and gradients
  float *T[kMaxTables], *gT[kMaxTables];  // (times, D) the same for times
  float* U[kMaxHops + 1];                 // (example, D) state before each hop, and after the last one
  float* gU[kMaxHops + 1];
  float* p[kMaxHops];   // (pair) attention
  float* ds[kMaxHops];  // (pair) gradient of the scores
  // With gates: (example, D) T by hop, what is read minus what is carried, and gradients of one hop's.
  float *gate[kMaxHops], *difference[kMaxHops], *gcarried, *gsum;
  float* scratch;       // as long as the longer one of pairs and examples
  float* logits;        // (rows, kColumns)
  float* transposed;    // (dim, kColumns)
  float *G[kMaxTables], *gtime[kMaxTables], *gH;  // gradients of the parameters, rows of D
  float *ggate[kMaxHops], *ggate_bias[kMaxHops];
  float* vectors;                                 // for update: two of D floats, one as long as a parameter has rows
};

struct Result {
  double loss = 0;  // sum over the examples, in nats
  int64_t wrong = 0;
};

struct Update {
  float rate, clip_norm;
  bool spectral;
  bool adam;
  float adam_rate, adam_epsilon;  // corrected for the bias of the moments
};

// The functions that are compiled once for each instruction set.
struct Kernel {
  const char* name;
  int width;  // floats in a vector
  // From words to answers. probabilities: (example, vocabulary - kSpecial), or null.
  Result (*forward)(const Network&, const Batch&, Workspace&, bool linear, bool train, float* probabilities);
  // Adds to the gradient of every parameter, using what forward left in the workspace.
  void (*backward)(const Network&, const Batch&, Workspace&, bool linear);
  // One training step of one parameter, (rows, dim). Sets its gradient to zero. Moments are rows of D, or null.
  void (*update)(float* parameter, float* gradient, float* first, float* second, int rows, int dim, float* vectors,
                 const Update&);
};

const Kernel* baseline_kernel();
#ifdef MEMN2N_X86
const Kernel* avx2_kernel();
const Kernel* avx512_kernel();
#endif
}  // namespace memn2n
