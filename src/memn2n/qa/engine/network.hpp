// What the parts of the engine share: plain structs of pointers, the same for every instruction set.
//
// Names are those of memn2n/nn/qa.py, which is the reference; equation numbers are the paper's
// (Sukhbaatar, Szlam, Weston, Fergus: End-To-End Memory Networks, 2015).
#pragma once

#include <cstdint>

namespace memn2n {

constexpr int kMaxHops = 8;
constexpr int kMaxTables = kMaxHops + 1;
constexpr int kMaxDim = 512;
constexpr int kColumns = 32;  // examples that one matrix product takes at a time
constexpr int kBlock = 16;    // arrays over pairs are padded to a multiple of this, the widest vector

constexpr int kNull = 0;  // word ids, as in memn2n/text.py
constexpr int kUnknown = 1;
constexpr int kSpecial = 2;

enum class Encoding { bow, pe, official };
enum class Temporal { none, add, word };

// A StorySet's arrays, where NumPy has them.
struct Stories {
  const int32_t* words = nullptr;
  const int32_t* sentence_start = nullptr;
  const int32_t* story = nullptr;
  const int32_t* story_start = nullptr;
  const int32_t* question = nullptr;
  const int32_t* answer = nullptr;
  int64_t sentences = 0;
  int64_t examples = 0;
};

// The network: its settings, and its parameters where PyTorch has them, each (rows, dim) without padding.
struct Network {
  int dim = 0, hops = 0;
  Encoding encoding = Encoding::bow;
  Temporal temporal = Temporal::none;
  bool relu = false;
  bool keep_empty = false;  // empty slots keep attention
  bool all_rows = false;    // null and time words compete to be the answer
  int memory_size = 0;
  int vocabulary = 0;
  int longest = 0;  // words of the longest sentence of the training data
  int slots = 0;
  int rows = 0;  // of each table: the vocabulary, and time words where temporal is word

  int tables = 0;
  float* table[kMaxTables] = {};
  float* time[kMaxTables] = {};  // by table; only of those that encode memories, and with Temporal::add
  float* H = nullptr;            // layer-wise tying only
  int A[kMaxHops] = {}, C[kMaxHops] = {}, B = 0, W = 0;
  bool memory[kMaxTables] = {};  // tables that encode memories

  // Position encoding: component k of word j weighs a_j + b_j position[k].
  float position[kMaxDim] = {};

};

// Static, as all functions of this header must be: each instruction set keeps its own.
static inline int official_longest(const Network& net) { return net.longest + (net.temporal == Temporal::word); }

static inline bool closed(const Network& net, int row) {  // cannot be an answer
  return row == kUnknown || (!net.all_rows && (row == kNull || row >= net.vocabulary));
}

static inline int padded(int n, int width) { return (n + width - 1) / width * width; }

// One batch, ragged: example e holds pairs start[e]..start[e+1], latest sentence first.
struct Batch {
  int examples = 0;
  int pairs = 0;
  int distinct = 0;  // distinct sentences; the first of them is empty
  int times = 0;     // time indices in use: all are below this
  const int32_t* start = nullptr;
  const int32_t* row = nullptr;      // (pair) distinct sentence
  const int32_t* time = nullptr;     // (pair)
  const int32_t* example = nullptr;  // (pair)
  const float* empty = nullptr;      // (example) empty slots that keep attention
  const int32_t* const* sentence = nullptr;  // (distinct) its words
  const int32_t* sentence_length = nullptr;
  const int32_t* const* question = nullptr;  // (example) its words
  const int32_t* question_length = nullptr;
  const int32_t* answer = nullptr;  // (example) word id, or negative
};

// Room for a batch. Rows of D floats, where D is dim padded with zeros to the vector's width.
struct Room {
  float *E[kMaxTables], *gE[kMaxTables];  // (distinct, D) sentences as table t encodes them, and gradients
  float *T[kMaxTables], *gT[kMaxTables];  // (times, D)
  float* U[kMaxHops + 1];                 // (example, D) state before each hop, and after the last
  float* gU[kMaxHops + 1];
  float* p[kMaxHops];   // (pair) attention
  float* ds[kMaxHops];  // (pair) gradient of the scores
  float* scratch;       // (max of pairs and examples, padded)
  float* logits;        // (rows, kColumns)
  float* transposed;    // (dim, kColumns)
  float *G[kMaxTables], *gtime[kMaxTables], *gH;  // gradients of the parameters, rows of D
  float* vectors;                                 // two of D, and one of the most rows that a parameter has
};

struct Result {
  double loss = 0;  // sum over the examples, in nats
  int64_t wrong = 0;
};

struct Update {
  float rate, clip_norm;
  bool spectral;
  bool adam;
  float adam_rate, adam_epsilon;  // with the bias of the moments taken out
};

// What is compiled once for each instruction set.
struct Kernel {
  const char* name;
  int width;  // floats in a vector
  // Sentences, hops and answers. probabilities: (example, vocabulary - kSpecial), or null.
  Result (*forward)(const Network&, const Batch&, Room&, bool linear, bool train, float* probabilities);
  // From what forward left to the gradient of every parameter. Gradients are added to.
  void (*backward)(const Network&, const Batch&, Room&, bool linear);
  // One step of one parameter, (rows, dim); its gradient is set to zero. Moments are rows of D, or null.
  void (*update)(float* parameter, float* gradient, float* first, float* second, int rows, int dim, float* vectors,
                 const Update&);
};

const Kernel* baseline_kernel();
#ifdef MEMN2N_X86
const Kernel* avx2_kernel();
const Kernel* avx512_kernel();
#endif
}  // namespace memn2n
