/* hello_c FILE: loads a predictor file and runs two rows of ones through every input; prints the first output. */
#include <layernet/c_api.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 2, MOST_PORTS = 16 };

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, layernet_last_error());
  return 1;
}

static int run(const layernet_predictor* predictor) {
  void* inputs[MOST_PORTS] = {0};
  void* outputs[MOST_PORTS] = {0};
  layernet_workspace* workspace = NULL;
  const size_t input_count = layernet_input_count(predictor), output_count = layernet_output_count(predictor);
  int result = 1;
  size_t i, k;
  if (input_count > MOST_PORTS || output_count > MOST_PORTS) return 1;
  for (i = 0; i < input_count; ++i) {
    layernet_port port;
    if (layernet_input(predictor, i, &port) != LAYERNET_OK || port.dtype != LAYERNET_FLOAT32) goto done;
    inputs[i] = malloc((size_t)layernet_input_bytes(predictor, i, ROWS));
    if (inputs[i] == NULL) goto done;
    for (k = 0; k < (size_t)layernet_input_bytes(predictor, i, ROWS) / sizeof(float); ++k)
      ((float*)inputs[i])[k] = 1.0F;
  }
  for (i = 0; i < output_count; ++i) {
    outputs[i] = malloc((size_t)layernet_output_bytes(predictor, i, ROWS));
    if (outputs[i] == NULL) goto done;
  }
  if (layernet_workspace_new(predictor, &workspace) != LAYERNET_OK) goto done;
  if (layernet_run_with(workspace, ROWS, (const void* const*)inputs, outputs) != LAYERNET_OK) goto done;
  for (k = 0; k < (size_t)layernet_output_bytes(predictor, 0, ROWS) / sizeof(float); ++k)
    printf("%.9g ", (double)((float*)outputs[0])[k]);
  printf("\n");
  result = 0;
done:
  layernet_workspace_free(workspace);
  for (i = 0; i < MOST_PORTS; ++i) {
    free(inputs[i]);
    free(outputs[i]);
  }
  return result;
}

int main(int argc, char** argv) {
  layernet_predictor* predictor = NULL;
  int result;
  if (argc != 2) {
    fprintf(stderr, "usage: hello_c FILE\n");
    return 2;
  }
  if (layernet_load(argv[1], &predictor) != LAYERNET_OK) return fail("load");
  result = run(predictor);
  if (result != 0) fail("run");
  layernet_release(predictor);
  return result;
}
