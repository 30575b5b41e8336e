// The network's forward and backward passes, written out by hand. Compiled once for each instruction set, each time
// under another name; everything is in this one translation unit so that the compiler can inline it.
//
// The vectors of a batch (states, sentences, times) are rows of D floats: dim, padded with zeros to whole vectors of
// W floats. Parameters are read where PyTorch stores them, without padding.
//
//   sentences.hpp   words to vectors         (section 4.1)
//   memory.hpp      attention and reading    (equations 1 and 2)
//   this file       the hops                 (equation 4)
//   answer.hpp      the answer and its loss  (equation 3)
//   supervision.hpp the loss of the attention on supporting facts
//   gate.hpp        the gate of a hop, if the network has gates
//   update.hpp      one training step of a parameter

#include "gate.hpp"
#include "update.hpp"

#ifndef MEMN2N_KERNEL
#define MEMN2N_KERNEL baseline_kernel
#endif
#ifndef MEMN2N_NAME
#define MEMN2N_NAME "baseline"
#endif

namespace memn2n {
namespace {

template <int NV>
struct Hops : Gate<NV> {
  using Gate<NV>::D;
  using Gate<NV>::count;
  using Gate<NV>::net;
  using Gate<NV>::batch;
  using Gate<NV>::work;
  using Gate<NV>::Gate;

  // K hops, from the question's vector u = work.U[0] to the answer.
  Result forward(bool linear, bool train, float* probabilities) const {
    this->encode_all();
    for (int k = 0; k < net.hops; ++k) {
      const int a = net.A[k], c = net.C[k];
      const float* u = work.U[k];
      float *p = work.p[k], *next = work.U[k + 1];
      this->score(u, work.E[a], work.T[a], p);
      if (!linear) this->softmax(p);                  // (1)  p = softmax(u . m_i)
      carry(u, next);                                 // (4)  the next u is u, or H u,
      float* sum = net.gate[k] ? work.difference[k] : next;
      if (net.gate[k]) this->clear(sum, batch.examples);
      this->add_read(p, work.E[c], work.T[c], sum);   // (2)  plus o = sum_i p_i c_i
      if (net.gate[k]) this->mix(k);                  //      or mixed with o by the gate
      if (net.linear < net.dim)
        for (int64_t row = 0; row < int64_t(batch.examples) * D; row += D)
          for (int v = 0; v < count(); ++v) {
            const V x = load(next + row + v * W), least = load(net.least + v * W);
            store(next + row + v * W, x > least ? x : least);
          }
    }
    Result result = this->answer(train, probabilities);  // (3)  a = softmax(W u)
    if (batch.facts) result.loss += this->supervision();
    return result;
  }

  // The same hops in reverse order. answer() left the gradient of the last state in work.gU[net.hops].
  void backward(bool linear) const {
    for (int k = net.hops - 1; k >= 0; --k) {
      const int a = net.A[k], c = net.C[k];
      float* go = work.gU[k + 1];  // gradient of the next state, and so of o too
      if (net.linear < net.dim)
        for (int64_t row = 0; row < int64_t(batch.examples) * D; row += D)
          for (int v = 0; v < count(); ++v) {
            const V g = load(go + row + v * W);
            store(go + row + v * W, load(work.U[k + 1] + row + v * W) > load(net.least + v * W) ? g : V{});
          }
      if (net.gate[k]) this->mix_backward(k);
      carry_backward(work.U[k], net.gate[k] ? work.gcarried : go, work.gU[k]);
      if (net.gate[k]) this->add(work.gsum, work.gU[k]);
      float* ds = work.ds[k];
      this->score(go, work.E[c], work.T[c], ds);  // gradient of the attention
      if (batch.facts) this->supervision_backward(k, ds);
      if (!linear) this->softmax_backward(work.p[k], ds);
      this->add_read(ds, work.E[a], work.T[a], work.gU[k]);
    }
    for (int t = 0; t < net.tables; ++t)
      if (net.memory[t]) this->memory_backward(t);
    this->encode_all_backward();
  }

  // The part of the next state that comes from this one (4): u itself, or H u.
  void carry(const float* u, float* next) const {
    if (net.H) return this->apply(net.H, u, next);
    for (int64_t i = 0; i < int64_t(batch.examples) * D; i += W) store(next + i, load(u + i));
  }

  void carry_backward(const float* u, const float* gnext, float* gu) const {
    if (net.H) return this->apply_backward(net.H, u, gnext, work.gH, gu);
    for (int64_t i = 0; i < int64_t(batch.examples) * D; i += W) store(gu + i, load(gnext + i));
  }
};

template <int NV>
Result forward_of(const Network& net, const Batch& batch, Workspace& work, bool linear, bool train,
                  float* probabilities) {
  return Hops<NV>(net, batch, work).forward(linear, train, probabilities);
}

template <int NV>
void backward_of(const Network& net, const Batch& batch, Workspace& work, bool linear) {
  Hops<NV>(net, batch, work).backward(linear);
}

// Rows of up to 7 vectors have code of their own; entry 0 serves all wider rows.
constexpr decltype(Kernel::forward) kForward[] = {forward_of<0>, forward_of<1>, forward_of<2>, forward_of<3>,
                                                  forward_of<4>, forward_of<5>, forward_of<6>, forward_of<7>};
constexpr decltype(Kernel::backward) kBackward[] = {backward_of<0>, backward_of<1>, backward_of<2>, backward_of<3>,
                                                    backward_of<4>, backward_of<5>, backward_of<6>, backward_of<7>};

int vectors(const Network& net) {
  const int nv = padded(net.dim, W) / W;
  return nv < 8 ? nv : 0;
}

Result forward(const Network& net, const Batch& batch, Workspace& work, bool linear, bool train,
               float* probabilities) {
  return kForward[vectors(net)](net, batch, work, linear, train, probabilities);
}

void backward(const Network& net, const Batch& batch, Workspace& work, bool linear) {
  kBackward[vectors(net)](net, batch, work, linear);
}

constexpr Kernel kKernel{MEMN2N_NAME, W, forward, backward, update};

}  // namespace

const Kernel* MEMN2N_KERNEL() { return &kKernel; }

}  // namespace memn2n
