// Every kernel of kernels.def on every instruction set this CPU has, against the definitions in kernel_reference.h: all
// sizes around the vector widths, special values, in place; and the worst ULP of the mathematical functions.
// (Matrix products, convolution, optimizers and random numbers have programs of their own: gemm_check,
// misc_kernel_check.)
//   kernel_check [--isa NAME] [--stride N]   N: step through the bit patterns of all floats, a prime; smaller is denser
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "kernel_reference.h"
#include "kernels/dispatch.h"
#include "kernels/kernel_args.h"

using namespace layernet::kernels;

namespace {

uint64_t random_state = 1;
uint64_t random_word() {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  uint64_t x = random_state;
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
  return x ^ (x >> 29);
}
size_t random_below(size_t n) {
  return random_word() % n;
}
double random_between(double low, double high) {
  return low + (high - low) * static_cast<double>(random_word() >> 11) * 0x1p-53;
}

uint64_t stride = 100003;
const char* isa = "";

template <class T>
bool same_bits(T a, T b) {
  return memcmp(&a, &b, sizeof(T)) == 0 || (a != a && b != b);
}

// --- values
// ---------------------------------------------------------------------------------------------------------------

template <class T>
std::vector<T> special_floats() {
  typedef std::numeric_limits<T> L;
  std::vector<T> v = {T(0),
                      L::denorm_min(),
                      7 * L::denorm_min(),
                      L::min() - L::denorm_min(),
                      L::min(),
                      L::epsilon(),
                      T(0.1),
                      T(0.5),
                      T(0.75),
                      T(1) - L::epsilon() / 2,
                      T(1),
                      T(1) + L::epsilon(),
                      T(1.5),
                      T(2),
                      T(2.5),
                      T(3),
                      T(10),
                      T(20),
                      T(50),
                      T(80),
                      T(89),
                      T(104),
                      T(150),
                      T(700),
                      T(746),
                      T(1000),
                      T(8388609),
                      T(1e15),
                      T(4503599627370497.0),
                      T(1e20),
                      L::max() / 2,
                      L::max(),
                      L::infinity()};
  const size_t n = v.size();
  for (size_t i = 0; i < n; ++i) v.push_back(-v[i]);
  v.push_back(L::quiet_NaN());
  return v;
}
template <class T>
std::vector<T> pool_of_floats(size_t n) {
  std::vector<T> v = special_floats<T>();
  while (v.size() < n) {
    v.push_back(static_cast<T>(random_between(-4, 4)));
    v.push_back(static_cast<T>(random_between(-100, 100)));
  }
  for (size_t i = v.size() - 1; i > 0; --i) std::swap(v[i], v[random_below(i + 1)]);
  return v;
}
template <class T>
std::vector<T> pool(size_t n) {
  if constexpr (std::is_floating_point_v<T>) {
    return pool_of_floats<T>(n);
  } else {
    typedef std::numeric_limits<T> L;
    std::vector<T> v = {0,
                        1,
                        2,
                        3,
                        7,
                        100,
                        static_cast<T>(-1),
                        static_cast<T>(-2),
                        static_cast<T>(-7),
                        L::min(),
                        L::max(),
                        static_cast<T>(L::max() - 1)};
    while (v.size() < n) {
      v.push_back(static_cast<T>(random_word()));
      v.push_back(static_cast<T>(random_below(20) - 10));
    }
    for (size_t i = v.size() - 1; i > 0; --i) std::swap(v[i], v[random_below(i + 1)]);
    return v;
  }
}
std::vector<uint8_t> pool_of_bools(size_t n) {
  std::vector<uint8_t> v(n);
  for (uint8_t& x : v) x = random_below(2);
  return v;
}

// 0, 1, one less and one more than one, two and four vectors of any width, primes.
const std::vector<size_t>& sizes() {
  static const std::vector<size_t> all = [] {
    std::vector<size_t> v;
    for (size_t n = 0; n <= 36; ++n) v.push_back(n);
    for (size_t n : {47, 61, 63, 64, 65, 67, 97, 127, 128, 129, 191, 251}) v.push_back(n);
    return v;
  }();
  return all;
}

// An output between guards, which show a write outside.
template <class T>
struct Guarded {
  static constexpr size_t margin = 64;
  std::vector<unsigned char> bytes;
  T* data;
  explicit Guarded(size_t n, size_t offset = 0) : bytes((n + offset) * sizeof(T) + 2 * margin, 0xa5), count(n) {
    data = reinterpret_cast<T*>(bytes.data() + margin) + offset;
  }
  bool intact() const {
    const unsigned char* begin = reinterpret_cast<const unsigned char*>(data);
    const unsigned char* end = reinterpret_cast<const unsigned char*>(data + count);
    return std::all_of(bytes.data(), begin, [](unsigned char b) { return b == 0xa5; }) &&
           std::all_of(end, bytes.data() + bytes.size(), [](unsigned char b) { return b == 0xa5; });
  }
  size_t count;
};

// "unary_exp_f32" -> "exp"
std::string middle(const char* name) {
  const std::string s = name;
  const size_t first = s.find('_') + 1;
  return s.substr(first, s.rfind('_') - first);
}

// --- elementwise
// -----------------------------------------------------------------------------------------------------------

// Runs `kernel(in, out, n)` for all sizes and offsets, out of place and onto each input of the output's type, and
// demands the bits that each element has by itself.
template <class T, class R, size_t inputs, class F>
void check_positions(const char* name, const std::vector<T> (&in)[inputs], F kernel) {
  const size_t total = in[0].size();
  std::vector<R> expected(total);
  for (size_t i = 0; i < total; ++i) {
    const T* one[inputs];
    for (size_t k = 0; k < inputs; ++k) one[k] = &in[k][i];
    kernel(one, &expected[i], size_t(1));
  }
  for (size_t n : sizes()) {
    for (size_t offset : {size_t(0), size_t(1), size_t(3)}) {
      const size_t start = random_below(total - n);
      const T* from[inputs];
      for (size_t k = 0; k < inputs; ++k) from[k] = in[k].data() + start;
      Guarded<R> out(n, offset);
      kernel(from, out.data, n);
      bool same = out.intact();
      for (size_t i = 0; i < n; ++i) same = same && same_bits(out.data[i], expected[start + i]);
      CHECK_NOTE(same, "%s %s, n = %zu, offset %zu", isa, name, n, offset);
      if constexpr (std::is_same_v<T, R>) {
        for (size_t k = 0; k < inputs; ++k) {
          Guarded<R> both(n, offset);
          for (size_t i = 0; i < n; ++i) both.data[i] = from[k][i];
          const T* with_output[inputs];
          for (size_t j = 0; j < inputs; ++j) with_output[j] = j == k ? both.data : from[j];
          kernel(with_output, both.data, n);
          same = both.intact();
          for (size_t i = 0; i < n; ++i) same = same && same_bits(both.data[i], expected[start + i]);
          CHECK_NOTE(same, "%s %s in place of input %zu, n = %zu", isa, name, k, n);
        }
      }
    }
  }
}

// Every stride-th float; for doubles as many random ones, over all exponents and where functions bend.
const std::vector<float>& sweep(float) {
  static const std::vector<float> all = [] {
    std::vector<float> v = special_floats<float>();
    for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += stride) {
      const uint32_t word = static_cast<uint32_t>(bits);
      float x;
      memcpy(&x, &word, 4);
      v.push_back(x);
    }
    return v;
  }();
  return all;
}
const std::vector<double>& sweep(double) {
  static const std::vector<double> all = [] {
    std::vector<double> v = special_floats<double>();
    for (uint64_t i = 0; i < (uint64_t{1} << 32) / stride / 4; ++i) {
      const uint64_t word = random_word();
      double x;
      memcpy(&x, &word, 8);
      v.push_back(x);
      v.push_back(ldexp(random_between(-1, 1), 10 - static_cast<int>(random_below(24))));
      v.push_back(random_between(-40, 40));
      v.push_back(random_between(-800, 800));
    }
    return v;
  }();
  return all;
}

// Bounds in ULP: 2 for functions; without fma gelu's last product and sum round twice. 0.5 marks one correct rounding.
double ulp_bound(const std::string& f) {
  for (const char* exact : {"negative", "abs", "sign", "floor", "ceil", "round", "relu", "clip"})
    if (f == exact) return 0;
  for (const char* rounded : {"square", "sqrt", "reciprocal", "leaky_relu", "power_scalar"})
    if (f == rounded) return 0.5001;
  const bool fused = strcmp(isa, "scalar") != 0;
  if (f == "gelu" && !fused) return 3;
  return 2;
}

struct Worst {
  double ulp = 0;
  double at = 0;
};
template <class T>
void note_worst(Worst& worst, double ulp, T at) {
  if (ulp > worst.ulp) worst = {ulp, static_cast<double>(at)};
}
void print_worst(const char* name, const Worst& worst) {
  printf("%-8s %-26s %6.3f ULP at %.9g\n", isa, name, worst.ulp, worst.at);
}

std::vector<double> parameters_of(const std::string& f) {
  if (f == "leaky_relu") return {0.25};  // exact in both types, like the others: the definition uses the same number
  if (f == "elu") return {1.25};
  if (f == "clip") return {-1.5, 6.0};
  if (f == "affine") return {1.5, -0.25};
  return {};
}

template <class T>
void check_unary_float(const char* name, void (*kernel)(const T*, T*, size_t, const double*) noexcept) {
  typedef typename reference::Wide<T>::type W;
  const std::string f = middle(name);
  std::vector<std::vector<double>> parameters = {parameters_of(f)};
  if (f == "power_scalar") parameters = {{2}, {1}, {-1}, {0.5}, {0}, {3}, {-2}, {2.3}, {-0.5}, {1e10}, {7}};
  for (const std::vector<double>& p : parameters) {
    const double* data = p.empty() ? nullptr : p.data();
    const std::vector<T> in[] = {pool<T>(600)};
    check_positions<T, T>(name, in, [&](const T* const* x, T* y, size_t n) { kernel(x[0], y, n, data); });
    const std::vector<T>& x = sweep(T());
    std::vector<T> y(x.size());
    kernel(x.data(), y.data(), x.size(), data);
    Worst worst;
    double bound = ulp_bound(f);
    if (f == "power_scalar" && data[0] != 2 && data[0] != 1 && data[0] != -1 && data[0] != 0.5) bound = 1;
    for (size_t i = 0; i < x.size(); ++i) {
      const W want = reference::unary<W>(f, x[i], data);
      // 0.2 x + 0.5 cancels near x = -2.5; affine near its zero.
      const W floor = f == "hard_sigmoid" ? W(0.5) : f == "affine" ? W(0.25) : W(0);
      const double ulp = reference::ulp_distance(y[i], want, floor);
      note_worst(worst, ulp, x[i]);
      if (!(ulp <= bound))
        CHECK_NOTE(ulp <= bound, "%s %s(%.17g) = %.17g, not %.17g", isa, name, static_cast<double>(x[i]),
                   static_cast<double>(y[i]), static_cast<double>(want));
    }
    CHECK(worst.ulp <= bound);
    if (bound != 0) print_worst(name, worst);
  }
}
template <class T>
void check_unary_int(const char* name, void (*kernel)(const T*, T*, size_t, const double*) noexcept) {
  typedef std::make_unsigned_t<T> U;
  const std::string f = middle(name);
  const std::vector<T> in[] = {pool<T>(600)};
  check_positions<T, T>(name, in, [&](const T* const* x, T* y, size_t n) { kernel(x[0], y, n, nullptr); });
  for (T x : in[0]) {
    T y;
    kernel(&x, &y, 1, nullptr);
    const U u = static_cast<U>(x);
    const U want = f == "negative" ? U(0) - u
                   : f == "abs"    ? (x < 0 ? U(0) - u : u)
                   : f == "square" ? u * u
                                   : static_cast<U>((x > 0) - (x < 0));
    CHECK_NOTE(static_cast<U>(y) == want, "%s %s(%lld)", isa, name, static_cast<long long>(x));
  }
}
template <class T>
void check_kernel(const char* name, const char*, void (*kernel)(const T*, T*, size_t, const double*) noexcept) {
  if constexpr (std::is_floating_point_v<T>)
    check_unary_float(name, kernel);
  else
    check_unary_int(name, kernel);
}

// Gradients, and any kernel of their shape in another family, which has its own test.
template <class T>
void check_kernel(const char* name, const char* shapes,
                  void (*kernel)(const T*, const T*, T*, size_t, const double*) noexcept) {
  CHECK(kernel != nullptr);
  if (strcmp(shapes, "grad") != 0) return;
  typedef typename reference::Wide<T>::type W;
  const std::string f = middle(name);
  const std::vector<double> p = parameters_of(f);
  const double* data = p.empty() ? nullptr : p.data();
  const std::vector<T> in[] = {pool<T>(600), pool<T>(600)};
  check_positions<T, T>(name, in, [&](const T* const* x, T* y, size_t n) { kernel(x[0], x[1], y, n, data); });
  const bool crosses_zero = f == "gelu" || f == "gelu_tanh" || f == "silu" || f == "mish";
  const std::vector<T>& v = sweep(T());
  std::vector<T> dy(v.size(), T(1)), dx(v.size());
  kernel(dy.data(), v.data(), dx.data(), v.size(), data);
  Worst worst;
  for (size_t i = 0; i < v.size(); ++i) {
    if (v[i] != v[i]) continue;
    // f' of these is 0 somewhere in [-3, 0]; around it the error is that of its terms, of size 1/4. That of selu is
    // y + 1.758..., where the definition's own last bit shows near y = -1.758.
    const W floor = crosses_zero && v[i] > -3 && v[i] < 0 ? W(0.25) : f == "selu" ? W(0.01) : W(0);
    note_worst(worst, reference::ulp_distance(dx[i], reference::derivative<W>(f, v[i], data), floor), v[i]);
  }
  CHECK_NOTE(worst.ulp <= 8, "%s %s: %g ULP at %.17g", isa, name, worst.ulp, worst.at);
  print_worst(name, worst);
  const T two = T(-2), at = T(0.3);
  T once, twice;
  const T one = T(1);
  kernel(&one, &at, &once, 1, data);
  kernel(&two, &at, &twice, 1, data);
  CHECK_NOTE(twice == T(-2) * once, "%s %s is not linear in dy", isa, name);
}

template <class T, class R, class F>
void check_modes(const char* name, const std::vector<T>& a, const std::vector<T>& b, F kernel) {
  const std::vector<T> both[] = {a, b};
  check_positions<T, R>(name, both, [&](const T* const* x, R* y, size_t n) { kernel(x[0], x[1], y, n, 0); });
  for (size_t k = 0; k < 3; ++k) {
    const T value = a[random_below(a.size())];
    const std::vector<T> one[] = {b};
    check_positions<T, R>(name, one, [&](const T* const* x, R* y, size_t n) { kernel(&value, x[0], y, n, 1); });
    check_positions<T, R>(name, one, [&](const T* const* x, R* y, size_t n) { kernel(x[0], &value, y, n, 2); });
    for (T x : b) {
      R vector, scalar;
      kernel(&value, &x, &vector, 1, 0);
      kernel(&value, &x, &scalar, 1, 1);
      CHECK_NOTE(same_bits(vector, scalar), "%s %s mode 1", isa, name);
      kernel(&x, &value, &vector, 1, 0);
      kernel(&x, &value, &scalar, 1, 2);
      CHECK_NOTE(same_bits(vector, scalar), "%s %s mode 2", isa, name);
    }
  }
}

template <class T>
void check_binary_float(const char* name, void (*kernel)(const T*, const T*, T*, size_t, int) noexcept) {
  typedef typename reference::Wide<T>::type W;
  const std::string f = middle(name);
  std::vector<T> a = pool<T>(1200), b = pool<T>(1200);
  check_modes<T, T>(name, std::vector<T>(a.begin(), a.begin() + 500), std::vector<T>(b.begin(), b.begin() + 500),
                    kernel);
  if (f == "power") {
    // Results over the whole range: y = random / log2(x).
    for (int i = 0; i < 40000; ++i) {
      const double x = exp2(random_between(-30, 30)), limit = sizeof(T) == 4 ? 151 : 1076;
      a.push_back(static_cast<T>(x));
      b.push_back(static_cast<T>(random_between(-limit, limit) / log2(x)));
      a.push_back(static_cast<T>(random_between(-20, 20)));
      b.push_back(static_cast<T>(random_below(41)) - T(20));
    }
    for (T x : special_floats<T>())
      for (T y : special_floats<T>()) {
        a.push_back(x);
        b.push_back(y);
      }
  }
  std::vector<T> y(a.size());
  kernel(a.data(), b.data(), y.data(), y.size(), 0);
  Worst worst;
  // The quotient of floordiv may be off by one where the exact one is within its rounding of an integer.
  const double bound = f == "power"                       ? 1.0
                       : f == "maximum" || f == "minimum" ? 0
                       : f == "mod" || f == "floordiv"    ? 1
                                                          : 0.5001;
  for (size_t i = 0; i < a.size(); ++i) {
    const W want = reference::binary<W>(f, a[i], b[i]);
    const double ulp = reference::ulp_distance(y[i], want);
    const bool near_integer = f == "floordiv" && std::fabs(static_cast<W>(y[i]) - want) <= 1;
    if (near_integer) continue;
    note_worst(worst, ulp, a[i]);
    if (!(ulp <= bound))
      CHECK_NOTE(ulp <= bound, "%s %s(%.17g, %.17g) = %.17g, not %.17g", isa, name, static_cast<double>(a[i]),
                 static_cast<double>(b[i]), static_cast<double>(y[i]), static_cast<double>(want));
  }
  CHECK(worst.ulp <= bound);
  if (f == "power") print_worst(name, worst);
}
template <class T>
T integer_result(const std::string& f, T a, T b) {
  typedef std::make_unsigned_t<T> U;
  const U u = static_cast<U>(a), v = static_cast<U>(b);
  if (f == "add") return static_cast<T>(static_cast<U>(u + v));
  if (f == "subtract") return static_cast<T>(static_cast<U>(u - v));
  if (f == "multiply") return static_cast<T>(static_cast<U>(uint64_t{u} * v));
  if (f == "maximum") return std::max(a, b);
  if (f == "minimum") return std::min(a, b);
  if (b == 0) return 0;
  const __int128 q = static_cast<__int128>(a) / b, r = static_cast<__int128>(a) % b;
  const bool down = r != 0 && (r < 0) != (b < 0);
  if (f == "floordiv") return static_cast<T>(q - down);
  return static_cast<T>(r + (down ? b : 0));
}
template <class T>
bool compare_result(const std::string& f, T a, T b) {
  if (f == "equal") return a == b;
  if (f == "not_equal") return a != b;
  if (f == "less") return a < b;
  if (f == "less_equal") return a <= b;
  if (f == "greater") return a > b;
  if (f == "greater_equal") return a >= b;
  if (f == "and") return a && b;
  if (f == "or") return a || b;
  return !a != !b;
}
template <class T>
void check_compare(const char* name, void (*kernel)(const T*, const T*, uint8_t*, size_t, int) noexcept) {
  const bool bools = strstr(name, "_b8") != nullptr;
  std::vector<T> a = pool<T>(600), b = pool<T>(600);
  for (size_t i = 0; i < 100; ++i) b[i] = a[i];
  if (bools)
    for (std::vector<T>* v : {&a, &b})
      for (T& x : *v) x = static_cast<T>(random_below(2));
  check_modes<T, uint8_t>(name, a, b, kernel);
  std::vector<uint8_t> y(a.size());
  kernel(a.data(), b.data(), y.data(), y.size(), 0);
  for (size_t i = 0; i < a.size(); ++i)
    CHECK_NOTE(y[i] == compare_result(middle(name), a[i], b[i]), "%s %s", isa, name);
}
template <class T>
void check_kernel(const char* name, const char* shapes, void (*kernel)(const T*, const T*, T*, size_t, int) noexcept) {
  if constexpr (std::is_same_v<T, uint8_t>)
    if (strcmp(shapes, "binary") != 0) return check_compare(name, kernel);
  if constexpr (std::is_floating_point_v<T>) {
    check_binary_float(name, kernel);
  } else {
    const std::vector<T> a = pool<T>(600), b = pool<T>(600);
    check_modes<T, T>(name, a, b, kernel);
    std::vector<T> y(a.size());
    kernel(a.data(), b.data(), y.data(), y.size(), 0);
    for (size_t i = 0; i < a.size(); ++i)
      CHECK_NOTE(y[i] == integer_result(middle(name), a[i], b[i]), "%s %s(%lld, %lld)", isa, name,
                 static_cast<long long>(a[i]), static_cast<long long>(b[i]));
  }
}
template <class T>
std::enable_if_t<!std::is_same_v<T, uint8_t>> check_kernel(const char* name, const char*,
                                                           void (*kernel)(const T*, const T*, uint8_t*, size_t,
                                                                          int) noexcept) {
  check_compare(name, kernel);
}
void check_kernel(const char* name, const char*, void (*kernel)(const uint8_t*, uint8_t*, size_t) noexcept) {
  const std::vector<uint8_t> in[] = {pool_of_bools(400)};
  check_positions<uint8_t, uint8_t>(name, in,
                                    [&](const uint8_t* const* x, uint8_t* y, size_t n) { kernel(x[0], y, n); });
  for (uint8_t x : {0, 1}) {
    uint8_t y = 7;
    kernel(&x, &y, 1);
    CHECK(y == !x);
  }
}

template <class T>
void check_select(const char* name,
                  void (*kernel)(const uint8_t*, const void*, const void*, void*, size_t, int, int) noexcept) {
  const std::vector<T> a = pool<T>(300), b = pool<T>(300);
  const std::vector<uint8_t> c = pool_of_bools(300);
  for (size_t n : sizes())
    for (int mode_a : {0, 1})
      for (int mode_b : {0, 1}) {
        Guarded<T> y(n);
        kernel(c.data(), a.data(), b.data(), y.data, n, mode_a, mode_b);
        bool same = y.intact();
        for (size_t i = 0; i < n; ++i) same = same && y.data[i] == (c[i] ? a[mode_a ? 0 : i] : b[mode_b ? 0 : i]);
        CHECK_NOTE(same, "%s %s, n = %zu", isa, name, n);
        std::vector<T> in_place(a.begin(), a.begin() + static_cast<long>(n));
        if (mode_a == 0) {
          kernel(c.data(), in_place.data(), b.data(), in_place.data(), n, 0, mode_b);
          CHECK(std::equal(in_place.begin(), in_place.end(), y.data));
        }
      }
}
void check_kernel(const char* name, const char*,
                  void (*kernel)(const uint8_t*, const void*, const void*, void*, size_t, int, int) noexcept) {
  switch (name[strlen(name) - 1]) {
    case '1':
      return check_select<uint8_t>(name, kernel);
    case '2':
      return check_select<uint16_t>(name, kernel);
    case '4':
      return check_select<uint32_t>(name, kernel);
    default:
      return check_select<uint64_t>(name, kernel);
  }
}

// --- cast
// ------------------------------------------------------------------------------------------------------------------

enum { kF32, kF64, kF16, kBF16, kI8, kU8, kI32, kI64, kBool, kTypes };
const size_t kBytes[] = {4, 8, 2, 2, 1, 1, 4, 8, 1};

// Decoding and rounding of 16-bit floats by arithmetic: `digits` of precision, smallest normal exponent `low`.
long double decode(uint16_t h, int digits, int low) {
  const int mantissa = h & ((1 << (digits - 1)) - 1), exponent = (h & 0x7fff) >> (digits - 1);
  const int top = 0x7fff >> (digits - 1);
  const long double sign = h & 0x8000 ? -1 : 1;
  if (exponent == top) return mantissa ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * ldexpl(mantissa, low - digits + 1);
  return sign * ldexpl(mantissa + (1 << (digits - 1)), exponent - 1 + low - digits + 1);
}
long double rounded(long double x, int digits, int low, int high) {
  if (x != x || std::isinf(x) || x == 0) return x;
  int exponent;
  frexpl(x, &exponent);
  const int unit = std::max(exponent - digits, low - digits + 1);
  const long double r = ldexpl(nearbyintl(ldexpl(x, -unit)), unit);
  return fabsl(r) >= ldexpl(1, high + 1) ? copysignl(INFINITY, x) : r;
}
long double read_item(const void* p, int type, size_t i) {
  switch (type) {
    case kF32:
      return static_cast<const float*>(p)[i];
    case kF64:
      return static_cast<const double*>(p)[i];
    case kF16:
      return decode(static_cast<const uint16_t*>(p)[i], 11, -14);
    case kBF16:
      return decode(static_cast<const uint16_t*>(p)[i], 8, -126);
    case kI8:
      return static_cast<const int8_t*>(p)[i];
    case kU8:
      return static_cast<const uint8_t*>(p)[i];
    case kI32:
      return static_cast<const int32_t*>(p)[i];
    case kI64:
      return static_cast<long double>(static_cast<const int64_t*>(p)[i]);
    default:
      return static_cast<const uint8_t*>(p)[i] != 0;
  }
}
template <class T>
long double to_integer(long double x, bool from_float) {
  if (!from_float) return static_cast<long double>(static_cast<T>(static_cast<int64_t>(x)));  // wraps
  if (x != x) return 0;
  const long double lowest = static_cast<long double>(std::numeric_limits<T>::lowest());
  const long double highest = static_cast<long double>(std::numeric_limits<T>::max());
  return std::min(highest, std::max(lowest, truncl(x)));
}
long double cast_result(long double x, int from, int to) {
  const bool from_float = from <= kBF16;
  switch (to) {
    case kF32:
      return static_cast<float>(x);
    case kF64:
      return static_cast<double>(x);
    case kF16:
      return rounded(x, 11, -14, 15);
    case kBF16:
      return rounded(x, 8, -126, 127);
    case kI8:
      return to_integer<int8_t>(x, from_float);
    case kU8:
      return to_integer<uint8_t>(x, from_float);
    case kI32:
      return to_integer<int32_t>(x, from_float);
    case kI64:
      return to_integer<int64_t>(x, from_float);
    default:
      return x != 0;
  }
}
template <class T>
void put(std::vector<unsigned char>& bytes, T value) {
  const unsigned char* p = reinterpret_cast<const unsigned char*>(&value);
  bytes.insert(bytes.end(), p, p + sizeof(T));
}
std::vector<unsigned char> cast_inputs(int type) {
  std::vector<unsigned char> bytes;
  // Numbers near ties and limits of the narrow types, then the type's own pool.
  std::vector<double> numbers = {0.5,
                                 1.5,
                                 127,
                                 127.5,
                                 128,
                                 255,
                                 255.9,
                                 256,
                                 -0.9,
                                 -1,
                                 -128,
                                 -129,
                                 32767.9,
                                 65503,
                                 65504,
                                 65519.99,
                                 65520,
                                 65535,
                                 2147483520,
                                 2147483647,
                                 2147483648.0,
                                 -2147483648.0,
                                 9.2e18,
                                 9.3e18,
                                 1 + 0x1p-8,
                                 1 + 0x1p-11,
                                 1 + 3 * 0x1p-11,
                                 1 + 0x1p-8 + 0x1p-40,
                                 1 + 0x1p-11 + 0x1p-40,
                                 0x1p-24,
                                 0x1.8p-25,
                                 0x1p-25,
                                 0x1.000001p-25,
                                 0x1p-133,
                                 0x1p-134,
                                 0x1.8p-134,
                                 0x1.fep127,
                                 0x1.ff8p127,
                                 3.5e38,
                                 1e39};
  const size_t n = numbers.size();
  for (size_t i = 0; i < n; ++i) numbers.push_back(-numbers[i]);
  const std::vector<double> more = pool<double>(300);
  if (type == kF32)
    for (double x : numbers) put(bytes, static_cast<float>(x));
  if (type == kF64)
    for (double x : numbers) put(bytes, x);
  const size_t count = 700;
  if (type == kF32)
    for (float x : pool<float>(count)) put(bytes, x);
  if (type == kF64)
    for (double x : pool<double>(count)) put(bytes, x);
  if (type == kF16 || type == kBF16)
    for (uint32_t i = 0; i < 65536; i += 7) put(bytes, static_cast<uint16_t>(i));
  if (type == kI8 || type == kU8)
    for (uint32_t i = 0; i < 256; ++i) put(bytes, static_cast<uint8_t>(i));
  if (type == kI32) {
    for (int32_t x : pool<int32_t>(count)) put(bytes, x);
    for (int32_t x : {2049, 2051, 4099, 257, 259, 16777217, 65519, 65520, 33685504 + 1}) put(bytes, x);
  }
  if (type == kI64) {
    for (int64_t x : pool<int64_t>(count)) put(bytes, x);
    // Just above a tie of bfloat16 that a double cannot tell from the tie.
    for (int64_t x : {(int64_t{257} << 54) + 1, (int64_t{257} << 54) - 1, int64_t{257} << 54, int64_t{259} << 54})
      put(bytes, x);
  }
  if (type == kBool)
    for (uint8_t x : pool_of_bools(100)) put(bytes, x);
  return bytes;
}
void check_kernel(const char*, const char*, void (*kernel)(const void*, int, void*, int, size_t) noexcept) {
  for (int from = 0; from < kTypes; ++from) {
    const std::vector<unsigned char> x = cast_inputs(from);
    const size_t total = x.size() / kBytes[from];
    for (int to = 0; to < kTypes; ++to) {
      std::vector<unsigned char> expected(total * kBytes[to]);
      kernel(x.data(), from, expected.data(), to, total);
      for (size_t i = 0; i < total; ++i) {
        const long double value = read_item(x.data(), from, i), got = read_item(expected.data(), to, i),
                          want = cast_result(value, from, to);
        if (!same_bits(static_cast<double>(got), static_cast<double>(want)))
          CHECK_NOTE(got == want, "%s cast %d -> %d of %.20Lg gave %.20Lg, not %.20Lg", isa, from, to, value, got,
                     want);
      }
      for (size_t n : sizes()) {
        const size_t start = total > n ? random_below(total - n) : 0;
        if (start + n > total) continue;
        Guarded<unsigned char> y(n * kBytes[to]);
        kernel(x.data() + start * kBytes[from], from, y.data, to, n);
        CHECK_NOTE(y.intact() && (n == 0 || memcmp(y.data, expected.data() + start * kBytes[to], n * kBytes[to]) == 0),
                   "%s cast %d -> %d, n = %zu", isa, from, to, n);
      }
    }
  }
}

// --- reductions
// --------------------------------------------------------------------------------------------------------------

struct Block {
  size_t outer, r, inner;
};
const std::vector<Block>& blocks() {
  static const std::vector<Block> all = [] {
    std::vector<Block> v;
    for (size_t r : {0, 1, 2, 3, 5, 8, 13, 16, 17, 31, 33, 64, 65, 97, 130, 257})
      for (size_t inner : {1, 2, 3, 5, 8, 9, 16, 31, 64, 67, 131}) v.push_back({r % 3 + 1, r, inner});
    v.push_back({2, 4099, 1});
    v.push_back({1, 40009, 1});
    v.push_back({1, 1031, 37});
    v.push_back({0, 5, 3});
    v.push_back({3, 5, 0});
    return v;
  }();
  return all;
}
template <class T>
std::vector<T> values_to_reduce(const std::string& f, size_t n) {
  std::vector<T> v(n);
  for (T& x : v) {
    if constexpr (std::is_floating_point_v<T>)
      x = static_cast<T>(f == "prod" ? exp(random_between(-0.1, 0.1)) : random_between(-1, 1));
    else
      x = static_cast<T>(random_word());
  }
  if (std::is_floating_point_v<T> && f != "prod" && f != "sum")
    for (size_t i = 0; i < n / 50; ++i) v[random_below(n)] = random_below(4) ? T(INFINITY) : T(NAN);
  return v;
}
template <class T>
void check_reduce(const char* name, void (*kernel)(const T*, T*, size_t, size_t, size_t) noexcept) {
  const std::string f = middle(name);
  for (const Block& b : blocks()) {
    std::vector<T> x = values_to_reduce<T>(f, b.outer * b.r * b.inner);
    if (strstr(name, "_b8"))
      for (T& v : x) v = static_cast<T>(f == "any" ? random_below(b.r + 1) == 0 : random_below(b.r + 1) != 0);
    Guarded<T> y(b.outer * b.inner);
    kernel(x.data(), y.data, b.outer, b.r, b.inner);
    CHECK_NOTE(y.intact(), "%s %s wrote outside", isa, name);
    for (size_t o = 0; o < b.outer; ++o)
      for (size_t i = 0; i < b.inner; ++i) {
        const T got = y.data[o * b.inner + i];
        bool ok;
        if constexpr (std::is_floating_point_v<T>) {
          typedef typename reference::Wide<T>::type W;
          W sum = 0, magnitude = 0, prod = 1, low = INFINITY, high = -INFINITY;
          bool nan = false;
          for (size_t k = 0; k < b.r; ++k) {
            const W v = x[(o * b.r + k) * b.inner + i];
            sum += v, magnitude += std::fabs(v), prod *= v;
            nan = nan || v != v;
            low = v < low ? v : low, high = v > high ? v : high;
          }
          const W eps = std::numeric_limits<T>::epsilon() / 2;
          // 32 additions in a block, the lanes and accumulators, one per doubling beyond.
          const W depth = 32 + 8 + std::log2(W(b.r + 1));
          ok = f == "sum"    ? std::fabs(got - sum) <= depth * eps * magnitude
               : f == "prod" ? std::fabs(got - prod) <= W(b.r + 1) * eps * prod
               : nan         ? got != got
                             : got == static_cast<T>(f == "max" ? high : low);
        } else {
          T want = f == "prod" || f == "all" ? 1
                   : f == "max"              ? std::numeric_limits<T>::min()
                   : f == "min"              ? std::numeric_limits<T>::max()
                                             : 0;
          for (size_t k = 0; k < b.r; ++k) {
            const T v = x[(o * b.r + k) * b.inner + i];
            want = f == "sum"    ? integer_result<T>("add", want, v)
                   : f == "prod" ? integer_result<T>("multiply", want, v)
                   : f == "max"  ? std::max(want, v)
                   : f == "min"  ? std::min(want, v)
                   : f == "any"  ? (want || v)
                                 : (want && v);
          }
          ok = got == want;
        }
        CHECK_NOTE(ok, "%s %s [%zu, %zu, %zu] at %zu, %zu: %g", isa, name, b.outer, b.r, b.inner, o, i,
                   static_cast<double>(got));
      }
  }
  if (std::is_floating_point_v<T> && f == "sum") {
    // The error does not grow with n: a million times 0.1.
    const std::vector<T> x(1000003, T(0.1));
    T y;
    kernel(x.data(), &y, 1, x.size(), 1);
    const long double want = static_cast<long double>(T(0.1)) * x.size();
    CHECK(fabsl(y - want) <= 4 * std::numeric_limits<T>::epsilon() * want);
    kernel(x.data(), &y, 1, 0, 1);
    CHECK(y == 0);
  }
}
template <class T>
void check_arg(const char* name, void (*kernel)(const T*, int64_t*, size_t, size_t, size_t) noexcept) {
  const bool greatest = strncmp(name, "argmax", 6) == 0;
  for (const Block& b : blocks()) {
    std::vector<T> x = values_to_reduce<T>("max", b.outer * b.r * b.inner);
    for (T& v : x)
      if (random_below(3) == 0) v = static_cast<T>(random_below(3));  // equal elements: the first must win
    Guarded<int64_t> y(b.outer * b.inner);
    kernel(x.data(), y.data, b.outer, b.r, b.inner);
    CHECK(y.intact());
    for (size_t o = 0; o < b.outer; ++o)
      for (size_t i = 0; i < b.inner; ++i) {
        int64_t want = 0;
        for (size_t k = 1; k < b.r; ++k) {
          const T v = x[(o * b.r + k) * b.inner + i];
          const T best = x[(o * b.r + static_cast<size_t>(want)) * b.inner + i];
          if (best == best && (v != v || (greatest ? v > best : v < best))) want = static_cast<int64_t>(k);
        }
        CHECK_NOTE(y.data[o * b.inner + i] == want, "%s %s [%zu, %zu, %zu]", isa, name, b.outer, b.r, b.inner);
      }
  }
}
template <class T>
void check_kernel(const char* name, const char* shapes, void (*kernel)(const T*, T*, size_t, size_t, size_t) noexcept) {
  if constexpr (std::is_same_v<T, int64_t>)
    if (strcmp(shapes, "argreduce") == 0) return check_arg(name, kernel);
  check_reduce(name, kernel);
}
template <class T>
std::enable_if_t<!std::is_same_v<T, int64_t>> check_kernel(const char* name, const char*,
                                                           void (*kernel)(const T*, int64_t*, size_t, size_t,
                                                                          size_t) noexcept) {
  check_arg(name, kernel);
}

// --- softmax family and normalisation
// ---------------------------------------------------------------------------------------

const size_t kRowLengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 33, 63, 64, 65, 67, 131, 1000, 4099};

template <class T>
std::vector<T> logits_of(size_t rows, size_t n) {
  std::vector<T> x(rows * n);
  for (T& v : x) v = static_cast<T>(random_between(-8, 8));
  if (rows > 1) x[n] = T(800);                     // one far above the rest
  if (rows > 2 && n > 1) x[2 * n] = T(-INFINITY);  // a class excluded
  return x;
}
template <class T>
struct RowTruth {
  typedef typename reference::Wide<T>::type W;
  W max = -INFINITY, log_sum = 0, sum = 0;
  RowTruth(const T* x, size_t n) {
    for (size_t i = 0; i < n; ++i) max = std::fmax(max, W(x[i]));
    for (size_t i = 0; i < n; ++i) sum += std::exp(x[i] - max);
    log_sum = std::log(sum);
  }
  W probability(T x) const { return std::exp(x - max) / sum; }
  W log_probability(T x) const { return (x - max) - log_sum; }
};
template <class T, class W>
bool near(T got, W want, W tolerance) {
  if (want != want) return got != got;
  if (std::isinf(want)) return got == want;
  const W smallest = std::numeric_limits<T>::denorm_min();
  return std::fabs(got - want) <= tolerance * std::numeric_limits<T>::epsilon() + 2 * smallest;
}
// Kernels x, y of [rows, n] -> out of [rows, n] or [rows]: `one` computes a row's truth into `want` and tolerances in
// eps.
template <class T>
void check_kernel(const char* name, const char*, void (*kernel)(const T*, T*, size_t, size_t) noexcept) {
  typedef typename reference::Wide<T>::type W;
  const bool sums = strstr(name, "logsumexp") != nullptr, logs = strstr(name, "log_softmax") != nullptr;
  for (size_t n : kRowLengths) {
    const size_t rows = n > 500 ? 3 : 7, out_n = sums ? 1 : n;
    const std::vector<T> x = logits_of<T>(rows, n);
    Guarded<T> y(rows * out_n);
    kernel(x.data(), y.data, rows, n);
    CHECK(y.intact());
    for (size_t r = 0; r < rows; ++r) {
      const RowTruth<T> truth(&x[r * n], n);
      for (size_t i = 0; i < out_n; ++i) {
        const T v = x[r * n + i], got = y.data[r * out_n + i];
        const W want = sums ? truth.max + truth.log_sum : logs ? truth.log_probability(v) : truth.probability(v);
        const W size = sums ? std::fabs(truth.max) + 1 : logs ? std::fabs(v - truth.max) + truth.log_sum + 1 : want;
        // The error of x - max, at most 16 eps / 2 here, passes through exp; the sum adds its own.
        CHECK_NOTE(near(got, want, 14 * size), "%s %s row %zu of %zu, element %zu: %.9g, not %.9g", isa, name, r, n, i,
                   static_cast<double>(got), static_cast<double>(want));
      }
      std::vector<T> alone(out_n);
      kernel(&x[r * n], alone.data(), 1, n);
      CHECK_NOTE(memcmp(alone.data(), y.data + r * out_n, out_n * sizeof(T)) == 0,
                 "%s %s: a row's bits depend on others", isa, name);
    }
    if (!sums) {
      std::vector<T> both = x;
      kernel(both.data(), both.data(), rows, n);
      CHECK(memcmp(both.data(), y.data, both.size() * sizeof(T)) == 0);
    }
  }
  T y = 5;
  const T minus_infinite[] = {T(-INFINITY), T(-INFINITY), T(-INFINITY)};
  kernel(nullptr, &y, 0, 3);
  CHECK(y == 5);
  if (sums) {
    kernel(minus_infinite, &y, 1, 3);
    CHECK(y == T(-INFINITY));
    kernel(minus_infinite, &y, 1, 0);
    CHECK(y == T(-INFINITY));
  }
}
template <class T>
void check_kernel(const char* name, const char*, void (*kernel)(const T*, const T*, T*, size_t, size_t) noexcept) {
  typedef typename reference::Wide<T>::type W;
  const bool logs = strstr(name, "log_softmax") != nullptr;
  for (size_t n : kRowLengths) {
    const size_t rows = 5;
    std::vector<T> dy(rows * n), y(rows * n);
    for (T& v : dy) v = static_cast<T>(random_between(-1, 1));
    for (T& v : y) v = static_cast<T>(logs ? random_between(-20, -1) : random_between(0, 1));
    Guarded<T> dx(rows * n);
    kernel(dy.data(), y.data(), dx.data, rows, n);
    CHECK(dx.intact());
    for (size_t r = 0; r < rows; ++r) {
      W sum = 0, magnitude = 0;
      for (size_t i = r * n; i < (r + 1) * n; ++i) {
        const W term = logs ? W(dy[i]) : W(dy[i]) * W(y[i]);
        sum += term;
        magnitude += std::fabs(term);
      }
      for (size_t i = r * n; i < (r + 1) * n; ++i) {
        const W want = logs ? dy[i] - std::exp(W(y[i])) * sum : (dy[i] - sum) * y[i];
        CHECK_NOTE(near(dx.data[i], want, 20 * (1 + magnitude)), "%s %s, n = %zu", isa, name, n);
      }
    }
    std::vector<T> in_place = dy;
    kernel(in_place.data(), y.data(), in_place.data(), rows, n);
    CHECK(memcmp(in_place.data(), dx.data, rows * n * sizeof(T)) == 0);
  }
}
template <class T>
void check_kernel(const char* name, const char* shapes,
                  void (*kernel)(const T*, const T*, T*, T*, size_t, size_t) noexcept) {
  typedef typename reference::Wide<T>::type W;
  CHECK(kernel != nullptr);
  for (size_t n : kRowLengths) {
    if (strcmp(shapes, "norm") == 0) {
      // scale_shift(x, scale, shift, y, rows, c)
      for (size_t rows : {1, 2, 3, 20, 67}) {
        std::vector<T> x(rows * n), scale(n), shift(n);
        for (std::vector<T>* v : {&x, &scale, &shift})
          for (T& e : *v) e = static_cast<T>(random_between(-2, 2));
        Guarded<T> y(rows * n);
        kernel(x.data(), scale.data(), shift.data(), y.data, rows, n);
        bool good = y.intact();
        for (size_t i = 0; i < rows * n; ++i)
          good = good && near(y.data[i], W(x[i]) * scale[i % n] + shift[i % n], W(4));
        CHECK_NOTE(good, "%s %s [%zu, %zu]", isa, name, rows, n);
        kernel(x.data(), scale.data(), shift.data(), x.data(), rows, n);
        CHECK(memcmp(x.data(), y.data, rows * n * sizeof(T)) == 0);
      }
      continue;
    }
    // softmax_xent(logits, labels, loss, dlogits, rows, n)
    const size_t rows = 5;
    const std::vector<T> x = logits_of<T>(rows, n);
    std::vector<T> labels(rows * n);
    for (size_t i = 0; i < labels.size(); ++i)
      labels[i] = std::isinf(x[i]) ? T(0) : static_cast<T>(random_between(0, 2) / static_cast<double>(n));
    Guarded<T> loss(rows), dx(rows * n);
    kernel(x.data(), labels.data(), loss.data, dx.data, rows, n);
    std::vector<T> only_loss(rows);
    kernel(x.data(), labels.data(), only_loss.data(), nullptr, rows, n);
    CHECK(loss.intact() && dx.intact() && memcmp(only_loss.data(), loss.data, rows * sizeof(T)) == 0);
    for (size_t r = 0; r < rows; ++r) {
      const RowTruth<T> truth(&x[r * n], n);
      W want = 0, size = 0, weight = 0;
      for (size_t i = r * n; i < (r + 1) * n; ++i) {
        weight += labels[i];
        if (labels[i] == 0) continue;
        want -= labels[i] * truth.log_probability(x[i]);
        size += labels[i] * (std::fabs(truth.log_probability(x[i])) + 1);
      }
      CHECK_NOTE(near(loss.data[r], want, 40 * size), "%s %s, n = %zu: %.9g, not %.9g", isa, name, n,
                 static_cast<double>(loss.data[r]), static_cast<double>(want));
      for (size_t i = r * n; i < (r + 1) * n; ++i) {
        const W p = truth.probability(x[i]) * weight;
        CHECK_NOTE(near(dx.data[i], p - labels[i], 40 * (p + labels[i])), "%s %s gradient, n = %zu", isa, name, n);
      }
    }
  }
}
template <class T>
void check_kernel(const char* name, const char*,
                  void (*kernel)(const T*, const int64_t*, T*, T*, size_t, size_t) noexcept) {
  typedef typename reference::Wide<T>::type W;
  for (size_t n : kRowLengths) {
    const size_t rows = 6;
    std::vector<T> x = logits_of<T>(rows, n);
    if (n > 1) x[2 * n] = T(1);
    std::vector<int64_t> labels(rows);
    for (size_t r = 0; r < rows; ++r) labels[r] = static_cast<int64_t>(random_below(n));
    labels[4] = -1;
    labels[5] = static_cast<int64_t>(n);
    Guarded<T> loss(rows), dx(rows * n);
    kernel(x.data(), labels.data(), loss.data, dx.data, rows, n);
    std::vector<T> only_loss(rows);
    kernel(x.data(), labels.data(), only_loss.data(), nullptr, rows, n);
    CHECK(loss.intact() && dx.intact() && memcmp(only_loss.data(), loss.data, 4 * sizeof(T)) == 0);
    for (size_t r = 0; r < 4; ++r) {
      const RowTruth<T> truth(&x[r * n], n);
      const W want = -truth.log_probability(x[r * n + static_cast<size_t>(labels[r])]);
      CHECK_NOTE(near(loss.data[r], want, 14 * (want + 1)), "%s %s, n = %zu", isa, name, n);
      for (size_t i = 0; i < n; ++i) {
        const W p = truth.probability(x[r * n + i]), hot = static_cast<int64_t>(i) == labels[r];
        CHECK_NOTE(near(dx.data[r * n + i], p - hot, 14 * (p + hot)), "%s %s gradient, n = %zu", isa, name, n);
      }
    }
    CHECK(std::isnan(loss.data[4]) && std::isnan(loss.data[5]) && std::isnan(dx.data[4 * n]));
  }
}

// moments(x, mean, var, rows, c)
template <class T>
void check_kernel(const char* name, const char*, void (*kernel)(const T*, T*, T*, size_t, size_t) noexcept) {
  typedef typename reference::Wide<T>::type W;
  for (size_t c : kRowLengths)
    for (size_t rows : {1, 2, 5, 31, 64, 65, 97, 300}) {
      std::vector<T> x(rows * c);
      for (T& v : x) v = static_cast<T>(1000 + random_between(-1, 1));
      Guarded<T> mean(c), var(c);
      kernel(x.data(), mean.data, var.data, rows, c);
      bool good = mean.intact() && var.intact();
      for (size_t j = 0; j < c; ++j) {
        W m = 0, s = 0;
        for (size_t i = 0; i < rows; ++i) m += x[i * c + j];
        m /= rows;
        for (size_t i = 0; i < rows; ++i) s += (x[i * c + j] - m) * (x[i * c + j] - m);
        // The rounding of the mean, 40 eps of 1000, enters the variance squared.
        const W eps = std::numeric_limits<T>::epsilon();
        good = good && near(mean.data[j], m, W(40000)) &&
               std::fabs(var.data[j] - s / rows) <= 60 * eps + (40000 * eps) * (40000 * eps);
      }
      CHECK_NOTE(good, "%s %s [%zu, %zu]", isa, name, rows, c);
    }
}
template <class T>
void check_kernel(const char* name, const char*,
                  void (*kernel)(const T*, const T*, const T*, T*, T*, T*, size_t, size_t, double) noexcept) {
  typedef typename reference::Wide<T>::type W;
  for (size_t n : kRowLengths)
    for (bool affine : {false, true}) {
      const size_t rows = 4;
      const double eps = 1e-3;
      std::vector<T> x(rows * n), gamma(n), beta(n);
      for (std::vector<T>* v : {&x, &gamma, &beta})
        for (T& e : *v) e = static_cast<T>(random_between(-2, 2));
      Guarded<T> y(rows * n), mean(rows), rstd(rows);
      const T* g = affine ? gamma.data() : nullptr;
      const T* b = affine ? beta.data() : nullptr;
      kernel(x.data(), g, b, y.data, mean.data, rstd.data, rows, n, eps);
      bool good = y.intact() && mean.intact() && rstd.intact();
      for (size_t r = 0; r < rows; ++r) {
        W m = 0, s = 0;
        for (size_t i = 0; i < n; ++i) m += x[r * n + i];
        m /= n;
        for (size_t i = 0; i < n; ++i) s += (x[r * n + i] - m) * (x[r * n + i] - m);
        const W scale = 1 / std::sqrt(s / n + W(static_cast<T>(eps)));
        good = good && near(mean.data[r], m, W(60)) && near(rstd.data[r], scale, 60 * scale);
        for (size_t i = 0; i < n; ++i) {
          const W z = (x[r * n + i] - m) * scale;
          good = good && near(y.data[r * n + i], affine ? z * gamma[i] + beta[i] : z, 400 * (scale + 1));
        }
      }
      CHECK_NOTE(good, "%s %s, n = %zu", isa, name, n);
      kernel(x.data(), g, b, x.data(), nullptr, nullptr, rows, n, eps);
      CHECK(memcmp(x.data(), y.data, rows * n * sizeof(T)) == 0);
    }
}

// --- copies
// ------------------------------------------------------------------------------------------------------------------

template <class T>
void check_strided(const char* name, void (*kernel)(const void*, void*, int, const int64_t*, const int64_t*) noexcept) {
  const bool reading = strncmp(name, "copy", 4) == 0;
  for (int trial = 0; trial < 600; ++trial) {
    // A contiguous array seen through a permutation, then reversed, stepped over or (reading) repeated axes.
    const int rank = static_cast<int>(random_below(5)) + (trial < 10 ? 0 : 1) - (trial < 10 && trial > 0);
    std::vector<int64_t> shape(static_cast<size_t>(std::max(rank, 0))), strides = shape, order = shape;
    const size_t axes = shape.size();
    for (size_t i = 0; i < axes; ++i) {
      const size_t limit = axes <= 2 ? 80 : axes == 3 ? 40 : 9;
      shape[i] = static_cast<int64_t>(random_below(limit)) + (random_below(30) != 0);
      order[i] = static_cast<int64_t>(i);
    }
    for (size_t i = axes; i > 1; --i) std::swap(order[i - 1], order[random_below(i)]);
    int64_t step = 1, first = 0;
    for (size_t k = axes; k-- > 0;) {
      const size_t i = static_cast<size_t>(order[k]);
      if (reading && random_below(8) == 0) continue;  // stride 0
      const int64_t every = random_below(8) == 0 ? 2 : 1;
      strides[i] = step * every;
      step *= std::max<int64_t>(shape[i] * every, 1);
      if (random_below(6) == 0) {
        first += strides[i] * std::max<int64_t>(shape[i] - 1, 0);
        strides[i] = -strides[i];
      }
    }
    size_t total = 1;
    for (int64_t s : shape) total *= static_cast<size_t>(s);
    const size_t held = static_cast<size_t>(step);
    std::vector<T> dense(total), loose(held);
    for (T& v : dense) v = static_cast<T>(random_word());
    for (T& v : loose) v = static_cast<T>(random_word());
    Guarded<T> out(reading ? total : held);
    if (!reading) std::copy(loose.begin(), loose.end(), out.data);
    if (reading)
      kernel(loose.data() + first, out.data, static_cast<int>(axes), shape.data(), strides.data());
    else
      kernel(dense.data(), out.data + first, static_cast<int>(axes), shape.data(), strides.data());
    bool good = out.intact();
    for (size_t i = 0; i < total; ++i) {
      int64_t at = first;
      size_t rest = i;
      for (size_t k = axes; k-- > 0;) {
        at += static_cast<int64_t>(rest % static_cast<size_t>(shape[k])) * strides[k];
        rest /= static_cast<size_t>(shape[k]);
      }
      good = good && (reading ? out.data[i] == loose[static_cast<size_t>(at)] : out.data[at] == dense[i]);
      if (!reading) loose[static_cast<size_t>(at)] = dense[i];
    }
    if (!reading) good = good && memcmp(out.data, loose.data(), held * sizeof(T)) == 0;
    CHECK_NOTE(good, "%s %s, trial %d, rank %zu", isa, name, trial, axes);
  }
}
void check_kernel(const char* name, const char*,
                  void (*kernel)(const void*, void*, int, const int64_t*, const int64_t*) noexcept) {
  switch (name[strlen(name) - 1]) {
    case '1':
      return check_strided<uint8_t>(name, kernel);
    case '2':
      return check_strided<uint16_t>(name, kernel);
    case '4':
      return check_strided<uint32_t>(name, kernel);
    default:
      return check_strided<uint64_t>(name, kernel);
  }
}
void check_kernel(const char* name, const char*, void (*kernel)(void*, const void*, size_t) noexcept) {
  const size_t bytes = static_cast<size_t>(name[strlen(name) - 1] - '0');
  const uint64_t value = 0x1122334455667788;
  for (size_t n : sizes()) {
    Guarded<unsigned char> y(n * bytes);
    kernel(y.data, &value, n);
    bool good = y.intact();
    for (size_t i = 0; i < n; ++i) good = good && memcmp(y.data + i * bytes, &value, bytes) == 0;
    CHECK_NOTE(good, "%s %s, n = %zu", isa, name, n);
  }
}
void check_kernel(const char* name, const char*,
                  void (*kernel)(const void*, const int64_t*, void*, size_t, size_t) noexcept) {
  for (size_t bytes : {0, 1, 4, 8, 12, 100})
    for (size_t n : sizes()) {
      std::vector<unsigned char> x(17 * bytes + 1);
      for (unsigned char& v : x) v = static_cast<unsigned char>(random_word());
      std::vector<int64_t> index(n);
      for (int64_t& i : index) i = static_cast<int64_t>(random_below(17));
      Guarded<unsigned char> y(n * bytes);
      kernel(x.data(), index.data(), y.data, n, bytes);
      bool good = y.intact();
      for (size_t i = 0; i < n && bytes > 0; ++i)
        good = good && memcmp(y.data + i * bytes, x.data() + static_cast<size_t>(index[i]) * bytes, bytes) == 0;
      CHECK_NOTE(good, "%s %s, n = %zu, %zu bytes", isa, name, n, bytes);
    }
}
template <class T>
void check_kernel(const char* name, const char*,
                  void (*kernel)(T*, const int64_t*, const T*, size_t, size_t) noexcept) {
  for (size_t row : {0, 1, 3, 16, 37})
    for (size_t n : sizes()) {
      std::vector<T> y(11 * row), x(n * row);
      for (std::vector<T>* v : {&y, &x})
        for (T& e : *v) e = static_cast<T>(random_below(1000));  // sums are exact
      std::vector<T> want = y;
      std::vector<int64_t> index(n);
      for (size_t i = 0; i < n; ++i) {
        index[i] = static_cast<int64_t>(random_below(11));
        for (size_t j = 0; j < row; ++j) want[static_cast<size_t>(index[i]) * row + j] += x[i * row + j];
      }
      kernel(y.data(), index.data(), x.data(), n, row);
      CHECK_NOTE(y == want, "%s %s, n = %zu, row %zu", isa, name, n, row);
    }
}

// Kernels of the families that have their own programs: they are there.
void check_kernel(const char* name, const char* shapes, ...) {
  (void)name, (void)shapes;
}

// --- promises about single values
// ------------------------------------------------------------------------------------------------

template <class T>
void check_value(void (*kernel)(const T*, T*, size_t, const double*) noexcept, double x, double want,
                 const char* what) {
  const T in = static_cast<T>(x);
  T out;
  kernel(&in, &out, 1, nullptr);
  CHECK_NOTE(same_bits(out, static_cast<T>(want)), "%s %s: %.17g", isa, what, static_cast<double>(out));
}
void check_values(const KernelTable& t) {
  const double tiny = 0x1p-149;
  check_value(t.unary_sigmoid_f32, -1000, 0, "sigmoid(-1000)");
  check_value(t.unary_sigmoid_f32, 1000, 1, "sigmoid(1000)");
  check_value(t.unary_softplus_f32, 80, 80, "softplus(80)");
  check_value(t.unary_softplus_f64, 800, 800, "softplus(800)");
  check_value(t.unary_expm1_f32, -50, -1, "expm1(-50)");
  check_value(t.unary_expm1_f64, -50, -1, "expm1(-50)");
  check_value(t.unary_log1p_f32, tiny, tiny, "log1p(denormal)");
  check_value(t.unary_tanh_f32, -tiny, -tiny, "tanh(denormal)");
  check_value(t.unary_tanh_f32, -0.0, -0.0, "tanh(-0)");
  check_value(t.unary_sin_f32, -0.0, -0.0, "sin(-0)");
  check_value(t.unary_erf_f64, -0.0, -0.0, "erf(-0)");
  check_value(t.unary_gelu_f32, -100, -0.0, "gelu(-100)");
  check_value(t.unary_gelu_f32, 1e38, static_cast<float>(1e38), "gelu(1e38)");
  check_value(t.unary_silu_f64, -INFINITY, -0.0, "silu(-inf)");
  check_value(t.unary_round_f32, 2.5, 2, "round(2.5)");
  check_value(t.unary_round_f64, -0.5, -0.0, "round(-0.5)");
  check_value(t.unary_ceil_f32, -0.5, -0.0, "ceil(-0.5)");
}

void check_table(const KernelTable& table) {
  isa = table.isa;
#define LN_KERNEL(name, arguments, shapes)                                                          \
  CHECK_NOTE(table.name != nullptr || strstr(#name, "amx") != nullptr, "%s has no %s", isa, #name); \
  check_kernel(#name, shapes, table.name);
#include "kernels/kernels.def"
  check_values(table);
}

}  // namespace

int main(int argc, char** argv) {
  const char* only = nullptr;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--isa") == 0) only = argv[i + 1];
    if (strcmp(argv[i], "--stride") == 0) stride = strtoull(argv[i + 1], nullptr, 10);
  }
  CHECK(strcmp(isas_supported()[0], active_kernels().isa) == 0 || getenv("LAYERNET_ISA") != nullptr);
  CHECK(table_for("vax") == nullptr);
  for (const char* const* name = isas_supported(); *name != nullptr; ++name)
    if (only == nullptr || strcmp(only, *name) == 0) check_table(*table_for(*name));
  return check::result();
}
