/** The version of the header that this table was written for. */
export const ABI_VERSION = 12;

/** Each parameter with its C declaration. Calls that compute are nonblocking to keep Deno's event loop running. */
export const symbols = {
  lrcn_abi_version: { parameters: [], result: "u32" },

  lrcn_build_info: {
    parameters: [
      "buffer", // char *text
      "i32", // int32_t capacity
      "buffer", // int32_t *length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
  },

  lrcn_engine_create: {
    parameters: [
      "buffer", // const lrcn_engine_options *options
      "buffer", // int32_t *status
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "pointer",
    nonblocking: true,
  },

  lrcn_engine_destroy: {
    parameters: [
      "pointer", // lrcn_engine *engine
    ],
    result: "void",
  },

  lrcn_memory: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // int64_t *bytes
      "i32", // int32_t length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_threads: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // int32_t *threads
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_group_create: {
    parameters: [
      "buffer", // const lrcn_group_options *options
      "buffer", // int32_t *status
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "pointer",
    nonblocking: true,
  },

  lrcn_group_destroy: {
    parameters: [
      "pointer", // lrcn_group *group
    ],
    result: "void",
  },

  lrcn_group_all_reduce: {
    parameters: [
      "pointer", // lrcn_group *group
      "buffer", // double *values
      "i64", // int64_t length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_group_all_gather: {
    parameters: [
      "pointer", // lrcn_group *group
      "buffer", // const uint8_t *bytes
      "i64", // int64_t bytes_length
      "buffer", // int64_t *lengths
      "i32", // int32_t world_size
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_group_broadcast: {
    parameters: [
      "pointer", // lrcn_group *group
      "buffer", // const uint8_t *bytes
      "i64", // int64_t bytes_length
      "buffer", // int64_t *length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_group_gathered: {
    parameters: [
      "pointer", // lrcn_group *group
      "buffer", // uint8_t *bytes
      "i64", // int64_t bytes_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
  },

  lrcn_engine_join: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "pointer", // lrcn_group *group
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_train_step: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // const lrcn_batch_shape *shape
      "buffer", // const uint8_t *pixels
      "i64", // int64_t pixels_length
      "buffer", // const float *features
      "i64", // int64_t features_length
      "buffer", // const int32_t *image_of_row
      "i64", // int64_t image_of_row_length
      "buffer", // const int32_t *inputs
      "i64", // int64_t inputs_length
      "buffer", // const int32_t *targets
      "i64", // int64_t targets_length
      "buffer", // const int32_t *crops
      "i64", // int64_t crops_length
      "buffer", // const float *row_weights
      "i64", // int64_t row_weights_length
      "buffer", // const lrcn_train_options *options
      "buffer", // double *result
      "i32", // int32_t result_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_step_results: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // double *results
      "i64", // int64_t capacity
      "buffer", // int64_t *steps
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_drop_gradients: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_evaluate_step: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // const lrcn_batch_shape *shape
      "buffer", // const uint8_t *pixels
      "i64", // int64_t pixels_length
      "buffer", // const float *features
      "i64", // int64_t features_length
      "buffer", // const int32_t *image_of_row
      "i64", // int64_t image_of_row_length
      "buffer", // const int32_t *inputs
      "i64", // int64_t inputs_length
      "buffer", // const int32_t *targets
      "i64", // int64_t targets_length
      "buffer", // double *result
      "i32", // int32_t result_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_score: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // const lrcn_batch_shape *shape
      "buffer", // const uint8_t *pixels
      "i64", // int64_t pixels_length
      "buffer", // const float *features
      "i64", // int64_t features_length
      "buffer", // const int32_t *image_of_row
      "i64", // int64_t image_of_row_length
      "buffer", // const int32_t *inputs
      "i64", // int64_t inputs_length
      "buffer", // const int32_t *targets
      "i64", // int64_t targets_length
      "buffer", // double *log_probabilities
      "i64", // int64_t length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_explain: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // const lrcn_batch_shape *shape
      "buffer", // const uint8_t *pixels
      "i64", // int64_t pixels_length
      "buffer", // const int32_t *inputs
      "i64", // int64_t inputs_length
      "buffer", // const int32_t *targets
      "i64", // int64_t targets_length
      "buffer", // double *probabilities
      "i64", // int64_t probabilities_length
      "buffer", // double *heat
      "i64", // int64_t heat_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_feature_size: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // int32_t *size
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_encode: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "i32", // int32_t images
      "i32", // int32_t height
      "i32", // int32_t width
      "buffer", // const uint8_t *pixels
      "i64", // int64_t pixels_length
      "buffer", // float *features
      "i64", // int64_t features_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_decoding_create: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "i32", // int32_t images
      "buffer", // const float *features
      "i64", // int64_t features_length
      "buffer", // int32_t *status
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "pointer",
    nonblocking: true,
  },

  lrcn_decoding_destroy: {
    parameters: [
      "pointer", // lrcn_decoding *decoding
    ],
    result: "void",
  },

  lrcn_decode_step: {
    parameters: [
      "pointer", // lrcn_decoding *decoding
      "i32", // int32_t rows
      "buffer", // const int32_t *parents
      "i64", // int64_t parents_length
      "buffer", // const int32_t *tokens
      "i64", // int64_t tokens_length
      "i32", // int32_t k
      "buffer", // int32_t *next_tokens
      "i64", // int64_t next_tokens_length
      "buffer", // float *log_probabilities
      "i64", // int64_t log_probabilities_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_resize_crop: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "i32", // int32_t height
      "i32", // int32_t width
      "buffer", // const uint8_t *pixels
      "i64", // int64_t pixels_length
      "i32", // int32_t short_side
      "i32", // int32_t stretch
      "i32", // int32_t crop
      "buffer", // uint8_t *cropped
      "i64", // int64_t cropped_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_tensors: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // char *text
      "i64", // int64_t capacity
      "buffer", // int64_t *length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_tensor_read: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // const char *name
      "buffer", // uint8_t *bytes
      "i64", // int64_t bytes_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },

  lrcn_tensor_write: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // const char *name
      "buffer", // const uint8_t *bytes
      "i64", // int64_t bytes_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;
