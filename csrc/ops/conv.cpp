// conv(x, w, b?, r?; strides, padding, dilation, activation, alpha): activation(x * w + b + r), where * is the
// cross-correlation of images [n, spatial.., c] with a kernel [window.., c,
// out], over one to three spatial axes. A block of output positions is written out as rows of a matrix (im2col) small
// enough for the second-level cache and multiplied by the kernel, which is packed once; where rows are runs of x
// already, they are read in place. Bias, residual and activation are applied by the product. The gradients are the two
// other products of the same three arrays.
#include <algorithm>

#include "ops/conv.h"
#include "ops/conv_lines.h"
#include "ops/fused.h"

namespace layernet {

namespace {

struct ConvParams {
  WindowParams window;
  bool packed = false;    // the kernel matrix is in step.kept
  bool by_lines = false;  // in as many parts as conv_lines.h has products for a line
  bool has_bias = false, has_residual = false;
  int activation = kernels::kActNone;
  double alpha = 1.0;
};

// The shape of conv(x, w).
Shape result(const char* who, const ConvFields& f, const Shape& x, const Shape& w) {
  expect_image(who, x);
  if (w.size() != x.size())
    fail_shape(who, join("a kernel of rank ", x.size(), " (spatial, in, out) for inputs of shape ", x),
               join("shape ", w));
  const Dim c = x.back(), in = w[w.size() - 2];
  if (c != in && !c.is_unknown() && !in.is_unknown())
    throw ShapeError(join(who, ": expected inputs with ", in, " channels (kernel is ", w, "), got shape ", x, "."));
  Shape out = windowed(who, x, f.window(who, w, x.size() - 2));
  out[out.size() - 1] = w.back();
  return out;
}

// Rows of the matrix per block: about 128 kB, half of the second-level cache of the smallest CPUs we care for, and at
// least a few tiles of the product.
template <class T>
std::size_t block_rows(std::size_t depth) noexcept {
  constexpr std::size_t kBlockBytes = 128 * 1024, kLeast = 32, kMost = 2048;
  return std::min(kMost, std::max(kLeast, kBlockBytes / sizeof(T) / std::max<std::size_t>(depth, 1)));
}

// Taps times channels of a kernel of this shape.
std::size_t kernel_depth(const Shape& w) noexcept {
  std::size_t depth = 1;
  for (std::size_t i = 0; i + 1 < w.size(); ++i) depth *= static_cast<std::size_t>(w[i].value());
  return depth;
}

std::size_t kernel_depth(const kernels::WindowDims& d) noexcept {
  return d.window[0] * d.window[1] * d.window[2] * d.c;
}

// No window reaches over an edge along this axis.
bool inside(const kernels::WindowDims& d, int axis) noexcept {
  return d.pad[axis] == 0 && (d.out[axis] - 1) * d.stride[axis] + (d.window[axis] - 1) * d.dilation[axis] < d.in[axis];
}
// The matrix is x itself: a kernel of one tap on every element.
bool is_pointwise(const kernels::WindowDims& d) noexcept {
  for (int i = 0; i < 3; ++i)
    if (d.window[i] != 1 || d.stride[i] != 1 || !inside(d, i)) return false;
  return true;
}
// The rows of a line of output overlap in x, at a constant distance. Short lines would make small products.
bool lines_are_runs(const kernels::WindowDims& d) noexcept {
  constexpr std::size_t kLongLine = 16;
  return d.window[0] == 1 && d.window[1] == 1 && d.dilation[2] == 1 && d.out[2] >= kLongLine && inside(d, 0) &&
         inside(d, 1) && inside(d, 2);
}

// Calls body(first_row, rows, matrix, row_stride) for blocks of the matrix that together are all of it.
template <class T, class Body>
void each_block(const Step& step, const kernels::WindowDims& d, const T* x, T* room, const Body& body) noexcept {
  const std::size_t positions = positions_of(d), depth = kernel_depth(d);
  if (positions == 0) return;
  if (is_pointwise(d)) return body(0, positions, x, depth);
  if (lines_are_runs(d)) {
    for (std::size_t line = 0; line < positions / d.out[2]; ++line) {
      const std::size_t y = line % d.out[1] * d.stride[1], z = line / d.out[1] % d.out[0] * d.stride[0],
                        image = line / d.out[1] / d.out[0];
      body(line * d.out[2], d.out[2], x + ((image * d.in[0] + z) * d.in[1] + y) * d.in[2] * d.c, d.stride[2] * d.c);
    }
    return;
  }
  const std::size_t block = block_rows<T>(depth);
  for (std::size_t first = 0; first < positions; first += block) {
    const std::size_t rows = std::min(block, positions - first);
    LN_PICK(T, *step.kernels, im2col)(x, room, &d, first, rows);
    body(first, rows, static_cast<const T*>(room), depth);
  }
}

kernels::GemmArgs product(std::size_t m, std::size_t n, std::size_t k, const void* a, std::size_t rsa, std::size_t csa,
                          void* c) noexcept {
  kernels::GemmArgs g{};
  g.m = m;
  g.n = n;
  g.k = k;
  g.a = a;
  g.rsa = rsa;
  g.csa = csa;
  g.c = c;
  g.ldc = n;
  return g;
}

// The kernel as the right operand of the product, [depth, out] or its transpose, or as several such one below the
// other.
struct KernelMatrix {
  std::size_t parts, rows, columns;
  std::size_t row_stride, column_stride;

  KernelMatrix(std::size_t depth, std::size_t out, bool transposed, std::size_t parts = 1) noexcept
      : parts(parts),
        rows(transposed ? out : depth / parts),
        columns(transposed ? depth : out),
        row_stride(transposed ? 1 : out),
        column_stride(transposed ? out : 1) {}
  // Bytes of a packed part.
  template <class T>
  std::size_t bytes(const kernels::KernelTable& k) const noexcept {
    return scratch_part(LN_PICK(T, k, pack_b_bytes)(rows, columns));
  }
  template <class T>
  void pack(const kernels::KernelTable& k, const T* w, void* to) const noexcept {
    for (std::size_t i = 0; i < parts; ++i) LN_PICK(T, k, pack_b)
    (w + i * rows * row_stride, row_stride, column_stride, rows, columns,
     static_cast<unsigned char*>(to) + i * bytes<T>(k));
  }
};

// Packed for the plan, or each time.
template <class T>
const void* packed_kernel(const Step& step, const View& w, const KernelMatrix& matrix, unsigned char*& room) noexcept {
  if (step.get<ConvParams>().packed) return step.kept;
  void* packed = take_scratch<unsigned char>(room, matrix.parts * matrix.bytes<T>(*step.kernels));
  matrix.pack(*step.kernels, w.as<T>(), packed);
  return packed;
}
template <class T>
void prepare_kernel(Preparation& p, const KernelMatrix& matrix) {
  const std::size_t bytes = matrix.parts * matrix.bytes<T>(p.kernels());
  if (const Tensor* constant = p.constant(1))
    matrix.pack(p.kernels(), constant->as<T>(), p.keep(bytes, 1U << 1));
  else
    p.scratch(Dim(static_cast<std::int64_t>(bytes)), 1);
}
std::size_t channels_out(const Shape& w) noexcept {
  return static_cast<std::size_t>(w.back().value());
}

// dx, of spatial sizes `size`, from inputs dy and w: every dy times the kernel, added where its window lay. Also the
// transposed convolution of upsampling networks.
struct ConvInputGrad : ConvFields {
  Shape size;
  template <class V>
  void fields(V& visit) {
    visit("size", size);
    ConvFields::fields(visit);
  }
  Specs infer(const InSpecs& in) const {
    constexpr const char* kName = "conv_input_grad";
    expect_inputs(kName, in, 2);
    expect_floating(kName, in.dtype(0));
    expect_same_dtype(kName, in.dtype(0), in.dtype(1));
    const Shape &dy = in.shape(0), &w = in.shape(1);
    expect_sizes(kName, size, dy);
    expect_rank(kName, w, dy.size());
    Shape x;
    x.push_back(dy[0]);
    for (const Dim d : size) x.push_back(d);
    x.push_back(w[w.size() - 2]);
    check_result(kName, dy, result(kName, *this, x, w));
    return one_spec(in.dtype(0), std::move(x));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  void prepare(Preparation& p) const {
    p.in(0).dtype == DType::float64 ? prepare_for<double>(p) : prepare_for<float>(p);
  }
  template <class T>
  void prepare_for(Preparation& p) const {
    ConvParams& params = p.params<ConvParams>();
    params.window = window("conv_input_grad", p.in(1).shape, size.size());
    params.packed = p.constant(1) != nullptr;
    const std::size_t depth = kernel_depth(p.in(1).shape);
    prepare_kernel<T>(p, KernelMatrix(depth, channels_out(p.in(1).shape), true));
    p.scratch(Dim(static_cast<std::int64_t>(block_rows<T>(depth) * depth)), sizeof(T));
    p.work(element_count(p.in(0).shape, "conv_input_grad"), 2.0 * static_cast<double>(depth));
    p.run(run<T>, "gemm_packed");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& k = *step.kernels;
    const View &dy = b.in[0], &w = b.in[1], &dx = b.out[0];
    const kernels::WindowDims d = window_dims(step.get<ConvParams>().window, dx, dy);
    const std::size_t depth = kernel_depth(d), out = static_cast<std::size_t>(w.dim(w.rank() - 1));
    const std::size_t positions = positions_of(d);
    if (dx.size() == 0) return;
    auto* room = static_cast<unsigned char*>(b.scratch);
    const void* kernel = packed_kernel<T>(step, w, KernelMatrix(depth, out, true), room);
    const bool pointwise = is_pointwise(d);
    if (!pointwise) std::memset(dx.data, 0, dx.size() * sizeof(T));
    const std::size_t block = pointwise ? positions : block_rows<T>(depth);
    T* rows_of = pointwise ? dx.as<T>() : reinterpret_cast<T*>(room);
    for (std::size_t first = 0; first < positions; first += block) {
      const std::size_t rows = std::min(block, positions - first);
      kernels::GemmArgs g = product(rows, depth, out, dy.as<T>() + first * out, out, 1, rows_of);
      g.b = kernel;
      LN_PICK(T, k, gemm_packed)(&g);
      if (!pointwise) LN_PICK(T, k, col2im)(rows_of, dx.as<T>(), &d, first, rows);
    }
  }
};

// dw, of spatial sizes `size`, from inputs dy and x: the sum over all positions of the window of x times dy.
struct ConvFilterGrad : ConvFields {
  Ints size;
  template <class V>
  void fields(V& visit) {
    visit("size", size);
    ConvFields::fields(visit);
  }
  Specs infer(const InSpecs& in) const {
    constexpr const char* kName = "conv_filter_grad";
    expect_inputs(kName, in, 2);
    expect_floating(kName, in.dtype(0));
    expect_same_dtype(kName, in.dtype(0), in.dtype(1));
    const Shape &dy = in.shape(0), &x = in.shape(1);
    expect_sizes(kName, size, dy);
    expect_rank(kName, x, dy.size());
    Shape w;
    for (const std::int64_t k : size) w.push_back(Dim(k));
    w.push_back(x.back());
    w.push_back(dy.back());
    check_result(kName, dy, result(kName, *this, x, w));
    return one_spec(in.dtype(0), std::move(w));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  void prepare(Preparation& p) const {
    p.in(0).dtype == DType::float64 ? prepare_for<double>(p) : prepare_for<float>(p);
  }
  template <class T>
  void prepare_for(Preparation& p) const {
    const Shape& w = p.out().shape;
    p.params<ConvParams>().window = window("conv_filter_grad", w, size.size());
    const std::size_t depth = kernel_depth(w), block = block_rows<T>(depth);
    p.scratch(Dim(static_cast<std::int64_t>(block * depth)), sizeof(T));
    p.scratch(Dim(static_cast<std::int64_t>(
                  LN_PICK(T, p.kernels(), gemm_workspace)(depth, static_cast<std::size_t>(w.back().value()), block))),
              1);
    p.work(element_count(p.in(0).shape, "conv_filter_grad"), 2.0 * static_cast<double>(depth));
    p.run(run<T>, "gemm");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const View &dy = b.in[0], &x = b.in[1], &dw = b.out[0];
    const kernels::WindowDims d = window_dims(step.get<ConvParams>().window, x, dy);
    const std::size_t depth = kernel_depth(d), out = static_cast<std::size_t>(dw.dim(dw.rank() - 1)),
                      block = block_rows<T>(depth);
    std::memset(dw.data, 0, dw.size() * sizeof(T));
    if (dw.size() == 0) return;
    auto* at = static_cast<unsigned char*>(b.scratch);
    T* room = take_scratch<T>(at, block * depth);
    each_block(step, d, x.as<T>(), room, [&](std::size_t first, std::size_t rows, const T* matrix, std::size_t stride) {
      for (std::size_t r = 0; r < rows; r += block) {  // the workspace is for `block` rows
        const std::size_t count = std::min(block, rows - r);
        kernels::GemmArgs g = product(depth, out, count, matrix + r * stride, 1, stride, dw.data);
        g.b = dy.as<T>() + (first + r) * out;
        g.rsb = out;
        g.csb = 1;
        g.accumulate = 1;
        g.workspace = at;
        LN_PICK(T, *step.kernels, gemm)(&g);
      }
    });
  }
};

struct Conv : ConvFields, FusedFields {
  template <class V>
  void fields(V& visit) {
    ConvFields::fields(visit);
    FusedFields::fields(visit);
  }
  Specs infer(const InSpecs& in) const {
    if (in.size() != 3 && in.size() != 4) expect_inputs("conv", in, 2);
    expect_floating("conv", in.dtype(0));
    Shape out = result("conv", *this, in.shape(0), in.shape(1));
    expect_same_dtype("conv", in.dtype(0), in.dtype(1));
    check_bias_and_residual("conv", in, out);
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  bool absorb(const Fusion& f) { return FusedFields::absorb(f, true, true); }
  void prepare(Preparation& p) const {
    p.in(0).dtype == DType::float64 ? prepare_for<double>(p) : prepare_for<float>(p);
  }
  template <class T>
  void prepare_for(Preparation& p) const {
    const std::size_t count = p.in().size();
    const Shape &x = p.in(0).shape, &w = p.in(1).shape, &y = p.out().shape;
    ConvParams& params = p.params<ConvParams>();
    params = {
        window("conv", w, x.size() - 2), p.constant(1) != nullptr, false, count >= 3, count == 4, activation, alpha};
    if (count == 4) p.in_place(3);
    const kernels::WindowDims d = window_dims(params.window, x, y);
    const std::size_t depth = kernel_depth(d);
    params.by_lines = !is_pointwise(d) && conv_by_lines(d);
    const ConvLines lines(d);
    prepare_kernel<T>(p, KernelMatrix(depth, channels_out(w), false, params.by_lines ? lines.runs : 1));
    const std::size_t room = params.by_lines ? lines.room(d) : is_pointwise(d) ? 0 : block_rows<T>(depth) * depth;
    p.scratch(Dim(static_cast<std::int64_t>(room)), sizeof(T));
    p.work(element_count(y, "conv"), 2.0 * static_cast<double>(depth));
    p.run(run<T>, "gemm_packed");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const View &x = b.in[0], &w = b.in[1], &y = b.out[0];
    const auto& p = step.get<ConvParams>();
    const kernels::WindowDims d = window_dims(p.window, x, y);
    const std::size_t depth = kernel_depth(d), out = static_cast<std::size_t>(y.dim(y.rank() - 1));
    if (y.size() == 0) return;
    // Sums start from what the output holds.
    if (p.has_residual && b.in[3].data != y.data) std::memcpy(y.data, b.in[3].data, y.size() * sizeof(T));
    const KernelMatrix matrix(depth, out, false, p.by_lines ? ConvLines(d).runs : 1);
    auto* room = static_cast<unsigned char*>(b.scratch);
    const auto* kernel = static_cast<const unsigned char*>(packed_kernel<T>(step, w, matrix, room));
    kernels::GemmArgs base = product(0, out, depth, nullptr, 0, 1, y.data);
    base.b = kernel;
    base.bias = p.has_bias ? b.in[2].data : nullptr;
    base.accumulate = p.has_residual;
    base.activation = p.activation;
    base.act_params = &p.alpha;
    const auto multiply = LN_PICK(T, *step.kernels, gemm_packed);
    if (p.by_lines) {
      const std::size_t part = matrix.bytes<T>(*step.kernels);
      return conv_lines(d, x.as<T>(), reinterpret_cast<T*>(room), base, [&](kernels::GemmArgs& g, std::size_t run) {
        g.b = kernel + run * part;
        multiply(&g);
      });
    }
    each_block(step, d, x.as<T>(), reinterpret_cast<T*>(room),
               [&](std::size_t first, std::size_t rows, const T* a, std::size_t stride) {
                 kernels::GemmArgs g = base;
                 g.m = rows;
                 g.a = a;
                 g.rsa = stride;
                 g.c = y.as<T>() + first * out;
                 multiply(&g);
               });
  }
};

Value emit_conv(Emitter& e, const ConvFields& f, const Value& x, const Value& w) {
  Conv op;
  static_cast<ConvFields&>(op) = f;
  return e.one(conv_op, op, {x, w});
}
Value emit_input_grad(Emitter& e, const ConvFields& f, const Value& dy, const Value& w, const Shape& x) {
  ConvInputGrad op;
  static_cast<ConvFields&>(op) = f;
  op.size = spatial_sizes(x);
  return e.one(conv_input_grad_op, op, {dy, w});
}
Value emit_filter_grad(Emitter& e, const ConvFields& f, const Value& dy, const Value& x, const Shape& w) {
  ConvFilterGrad op;
  static_cast<ConvFields&>(op) = f;
  op.size = filter_sizes(w, w.size() - 2);
  return e.one(conv_filter_grad_op, op, {dy, x});
}

Values Conv::backward(Emitter& e, const Call& call, const Values& dy) const {
  const Value &x = call.in(0), &w = call.in(1);
  const Value g = gradient_of_sum(*this, e, call, dy[0]);
  Values out(call.inputs->size());
  if (call.wants(0)) out[0] = emit_input_grad(e, *this, g, w, x.shape());
  if (call.wants(1)) out[1] = emit_filter_grad(e, *this, g, x, w.shape());
  if (out.size() >= 3 && call.wants(2)) out[2] = bias_gradient(e, g);
  if (out.size() == 4) out[3] = g;
  return out;
}

Values ConvInputGrad::backward(Emitter& e, const Call& call, const Values& dy) const {
  const Value &g = dy[0], &w = call.in(1);
  Values out(2);
  if (call.wants(0)) out[0] = emit_conv(e, *this, g, w);
  if (call.wants(1)) out[1] = emit_filter_grad(e, *this, call.in(0), g, w.shape());
  return out;
}

Values ConvFilterGrad::backward(Emitter& e, const Call& call, const Values& dy) const {
  const Value &g = dy[0], &x = call.in(1);
  Values out(2);
  if (call.wants(0)) out[0] = emit_conv(e, *this, x, g);
  if (call.wants(1)) out[1] = emit_input_grad(e, *this, call.in(0), g, x.shape());
  return out;
}

}  // namespace

const OpDef conv_op = define_op<Conv>("conv", "x, w, b?, r?");
const OpDef conv_input_grad_op = define_op<ConvInputGrad>("conv_input_grad", "dy, w");
const OpDef conv_filter_grad_op = define_op<ConvFilterGrad>("conv_filter_grad", "dy, x");

}  // namespace layernet
