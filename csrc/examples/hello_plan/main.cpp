// hello_plan FILE [CALLS]: what a predictor file takes and gives, its outputs for a batch of ones, and how long a call
// takes.
#include <layernet/predictor.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

void print_port(const char* what, const layernet::PortInfo& port) {
  std::printf("%s %s: type %d, [", what, port.name.c_str(), static_cast<int>(port.dtype));
  for (std::size_t i = 0; i < port.shape.size(); ++i)
    std::printf(port.shape[i] < 0 ? "%sN" : "%s%lld", i ? ", " : "", static_cast<long long>(port.shape[i]));
  std::printf("]\n");
}

// Microseconds for a call, in the best of 20 blocks: other programs only ever make it slower.
template <class Call>
double best_of_20(long calls, Call call) {
  double best = 1e30;
  for (int block = 0; block < 20; ++block) {
    const auto start = std::chrono::steady_clock::now();
    for (long i = 0; i < calls; ++i) call();
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    best = std::min(best, time.count() / static_cast<double>(calls));
  }
  return best;
}

int run(const char* path, long calls) {
  const auto predictor = layernet::Predictor::load(path);
  for (std::size_t i = 0; i < predictor.input_count(); ++i) print_port("input", predictor.input(i));
  for (std::size_t i = 0; i < predictor.output_count(); ++i) print_port("output", predictor.output(i));

  constexpr std::size_t kRows = 2;
  const std::vector<float> x(predictor.input_bytes(0, kRows) / sizeof(float), 1.0F);
  std::vector<float> y(predictor.output_bytes(0, kRows) / sizeof(float));
  predictor.run(x.data(), kRows, y.data());
  for (const float value : y) std::printf("%.9g ", static_cast<double>(value));
  std::printf("\n");

  if (calls > 0) {
    layernet::Predictor::Workspace workspace(predictor);
    const double borrowed = best_of_20(calls / 20 + 1, [&] { predictor.run(x.data(), 1, y.data()); });
    const double own = best_of_20(calls / 20 + 1, [&] { predictor.run(x.data(), 1, y.data(), workspace); });
    std::printf("%.3f us a row, %.3f us with a workspace of our own\n", borrowed, own);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: hello_plan FILE [CALLS]\n");
    return 2;
  }
  try {
    return run(argv[1], argc > 2 ? std::atol(argv[2]) : 0);
  } catch (const layernet::PredictorError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
