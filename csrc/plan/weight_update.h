// weight_update: the gradient of a matrix and the optimizer's step on it, block by block of rows, so that the gradient
// stays in the second-level cache and is nowhere whole. An op of plans only: the pass that makes it is
// passes/fuse_weight_updates.cpp.
#pragma once

#include <memory>
#include <string>

#include "layernet/op.h"

namespace layernet {

// Inputs: the optimizer's variables, its single numbers, then the inputs of the gradient. Outputs: the variables' new
// values, then what the gradient gives beside (db).
struct WeightUpdate {
  const OpDef* gradient = nullptr;
  std::shared_ptr<const void> gradient_attributes;
  const OpDef* optimizer = nullptr;
  std::shared_ptr<const void> optimizer_attributes;
  std::size_t variables = 0, numbers = 0;
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const;
  void prepare(Preparation& p) const;
  std::string text() const;
};

constexpr int kMostUpdated = 4;  // variables of an optimizer's step: RMSProp's centered form has four
// By the number of variables that it updates.
extern const OpDef weight_update_ops[kMostUpdated + 1];

}  // namespace layernet
