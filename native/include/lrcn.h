/*
 * lrcn.h: the C11 interface between the captioner's TypeScript and its libtorch library.
 *
 * Common to all functions, unless stated otherwise:
 *
 *   Errors     An int32_t result is a code of lrcn_status. If it is not LRCN_OK, `message` holds one line of UTF-8
 *              without a line feed (capacity in bytes, NUL-terminated, cut at a character; NULL or 0 for none), and no
 *              other output has been touched. No exception leaves this library.
 *   Ownership  Every buffer is the caller's: borrowed until the function returns, never kept. A handle returned by
 *              *_create is owned by the caller until *_destroy. Lengths count elements; a NULL buffer, or a length that
 *              does not fit the shape, is LRCN_INVALID_ARGUMENT. Outputs are written in full or not at all.
 *   Threads    Any thread may call, except *_destroy beside another call. An engine owns one thread on which all its work
 *              runs, one call after another; grad mode, autocast and thread counts are set on that thread only.
 *              Collectives of a group also run one after another, and all ranks must call them in the same order.
 *   Options    A struct's first field is its own size in bytes, so that a caller built against another header is
 *              refused instead of misread. Structs hold 32-bit fields first, then 64-bit ones, and have no padding.
 *
 * Images are uint8 [count, height, width, 3], RGB; the library normalizes them as the encoder expects. Arrays are
 * row-major.
 */
#ifndef LRCN_H
#define LRCN_H

#include <stdint.h>

#if defined(__GNUC__)
#define LRCN_EXPORT __attribute__((visibility("default")))
#else
#define LRCN_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Changes with every function or struct of this header. */
enum { LRCN_ABI_VERSION = 12 };

typedef enum lrcn_status {
  LRCN_OK = 0,
  LRCN_INVALID_ARGUMENT = 1,    /* a mistake of the caller; nothing was done */
  LRCN_OUT_OF_MEMORY = 2,       /* of the device, the machine or the container */
  LRCN_DEVICE_UNAVAILABLE = 3,  /* the device cannot be used */
  LRCN_INTERNAL = 4,            /* libtorch failed */
  LRCN_GROUP_FAILED = 5         /* another process of the group is gone, or did not arrive in time */
} lrcn_status;

typedef enum lrcn_device { LRCN_CPU = 0, LRCN_CUDA = 1 } lrcn_device;

/*
 * LRCN_BF16 keeps parameters in float32 and computes under bfloat16 autocast. On a GPU LRCN_FP32 multiplies in
 * TensorFloat-32, with 10 bits of mantissa, and LRCN_FP32_STRICT in float32; a process cannot have engines of both on
 * GPUs at once. On the CPU they are the same.
 */
typedef enum lrcn_precision { LRCN_FP32 = 0, LRCN_BF16 = 1, LRCN_FP64 = 2, LRCN_FP32_STRICT = 3 } lrcn_precision;

/* Where the image feature enters the LSTM: as the first element of the sequence, or at every step. */
typedef enum lrcn_inject { LRCN_FIRST = 0, LRCN_EVERY = 1 } lrcn_inject;

/* Initialization of the parameters: random as in PyTorch; random with a zero embedding for token 0; or all 0, which
 * takes no time, for a model that is loaded next. */
typedef enum lrcn_initialization { LRCN_RANDOM = 0, LRCN_ZERO_PADDING = 1, LRCN_ZERO = 2 } lrcn_initialization;

/* BatchNorm of the trainable stages: frozen running statistics, as in evaluation; batch statistics, which update the
 * running ones; or batch statistics synchronized over the processes of the engine's group. */
typedef enum lrcn_batch_norm { LRCN_FROZEN = 0, LRCN_BATCH = 1, LRCN_SYNCHRONIZED = 2 } lrcn_batch_norm;

/* The largest dimensions of a model. src/checkpoint/limits.ts has the same for recipes and checkpoints. */
enum {
  LRCN_VOCABULARY_SIZE_MAX = 16777216,
  LRCN_EMBED_SIZE_MAX = 65536,
  LRCN_HIDDEN_SIZE_MAX = 65536,
  LRCN_LANGUAGE_LAYERS_MAX = 64,
  LRCN_FUSION_LAYERS_MAX = 64,
  LRCN_ENCODER_WIDTH_MAX = 1024,
  LRCN_ENCODER_BLOCKS_MAX = 256
};

/* Architecture of the image encoder: ResNet of basic blocks (ResNet-18, 34) or of bottleneck blocks (50, 101, 152), or
 * EfficientNet-Lite. */
typedef enum lrcn_encoder { LRCN_RESNET_BASIC = 0, LRCN_RESNET_BOTTLENECK = 1, LRCN_EFFICIENTNET_LITE = 2 } lrcn_encoder;

typedef enum lrcn_optimizer { LRCN_ADAM = 0, LRCN_ADAMW = 1 } lrcn_optimizer;

/* A model on a device: parameters, buffers, optimizer moments, random state. */
typedef struct lrcn_engine lrcn_engine;

/* This process as a member of a process group. */
typedef struct lrcn_group lrcn_group;

/* The recurrent state of captions being decoded, one row for each hypothesis. */
typedef struct lrcn_decoding lrcn_decoding;

typedef struct lrcn_engine_options {
  int32_t size;              /* sizeof(lrcn_engine_options) */
  int32_t device;            /* lrcn_device; LRCN_CUDA + n: GPU n */
  int32_t precision;         /* lrcn_precision */
  int32_t threads;           /* CPU threads of this engine; 0: libtorch's choice */
  int32_t vocabulary_size;   /* rows of the embedding and of the output layer */
  int32_t embed_size;
  int32_t hidden_size;
  int32_t language_layers;   /* LSTM layers that read tokens alone; 0 or more */
  int32_t fusion_layers;     /* LSTM layers that read (language output, image feature); 1 or more */
  int32_t inject;            /* lrcn_inject */
  int32_t initialization;    /* lrcn_initialization */
  int32_t encoder;           /* lrcn_encoder */
  int32_t encoder_width;     /* ResNet: channels of the first convolution, 64 in ResNet-50; EfficientNet-Lite: width
                                coefficient in hundredths, 100 in Lite0 */
  int32_t encoder_blocks[7]; /* blocks of each stage: 3, 4, 6, 3, 0, 0, 0 in ResNet-50; 1, 2, 2, 3, 3, 4, 1 in Lite0 */
  int64_t seed;              /* of initialization, dropout and scheduled sampling */
} lrcn_engine_options;

/* The shape of a batch: captions (rows) of images, as token ids. */
typedef struct lrcn_batch_shape {
  int32_t size; /* sizeof(lrcn_batch_shape) */
  int32_t images;
  int32_t height;         /* of the pixels; 0 if features are given */
  int32_t width;          /* likewise */
  int32_t rows;           /* captions; each refers to its image by index */
  int32_t inputs_length;  /* input tokens of each row */
  int32_t targets_length; /* target tokens: inputs_length, or with LRCN_FIRST also inputs_length + 1, if the output at
                             the image's own step counts */
  int32_t crop;           /* side of the crop that a training step takes of each image; else 0 */
} lrcn_batch_shape;

/* One training step. Dropout and scheduled sampling use the engine's random state. */
typedef struct lrcn_train_options {
  int32_t size;                 /* sizeof(lrcn_train_options) */
  int32_t optimizer;            /* lrcn_optimizer */
  int32_t trainable_from;       /* first trainable stage of the encoder: 0 all; in a ResNet 1 to 4 layer1 to layer4, 5
                                   none; in EfficientNet-Lite 1 to 7 the MBConv stages, 8 the head, 9 none. Its last
                                   linear layer is always trainable; frozen stages keep their BatchNorm statistics */
  int32_t batch_norm;           /* lrcn_batch_norm; not LRCN_FROZEN needs more than a single image of at most 32 x 32
                                   pixels, of which the last stage has one value a channel */
  int32_t update;               /* 1: the optimizer steps; 0: gradients are accumulated, the next call adds to them */
  int32_t counted_tokens;       /* number of counted targets of all batches whose gradients are accumulated, by which
                                   losses are divided; at least that of this batch, or 0 for just that */
  double feature_dropout;       /* dropout probability of the image features' elements; all four: 0 <= p < 1 */
  double embedding_dropout;     /* dropout probability of the embeddings' elements */
  double lstm_dropout;          /* dropout probability between LSTM layers */
  double output_dropout;        /* dropout probability before the output layer */
  double label_smoothing;       /* probability of each target that is spread over the vocabulary; 0 <= p < 1 */
  double scheduled_sampling;    /* probability that an input token, except the first of each row, is replaced by one
                                   sampled from the model's prediction; 0 <= p <= 1. Not with targets at the image's step */
  double encoder_learning_rate; /* of the encoder without its last linear layer */
  double decoder_learning_rate; /* of all other parameters */
  double encoder_weight_decay;
  double decoder_weight_decay;
  double max_gradient_norm;     /* gradients are clipped to this L2 norm; 0: no clipping */
} lrcn_train_options;

/* A member of a process group. */
typedef struct lrcn_group_options {
  int32_t size;       /* sizeof(lrcn_group_options) */
  int32_t rank;       /* of this process: 0 <= rank < world_size */
  int32_t world_size; /* number of processes */
  int32_t port;       /* of the store */
  int32_t hosted;     /* 1: the store is already there; 0: rank 0 hosts it */
  int32_t timeout;    /* seconds to wait for the other ranks, on joining and in each call */
  char address[256];  /* host of the store: NUL-terminated UTF-8 */
  char prefix[256];   /* of the group's keys in the store, likewise */
} lrcn_group_options;

/* --- the library: plain, from any thread ------------------------------------------------------------------------ */

LRCN_EXPORT uint32_t lrcn_abi_version(void);

/*
 * Versions and devices, as JSON:
 * {"abi", "torch", "torchLoaded", "cuda", "cudaDevices", "bf16", "compiler", "commit"}.
 * text: filled if capacity suffices, else LRCN_INVALID_ARGUMENT. length: filled with its bytes, without NUL.
 */
LRCN_EXPORT int32_t lrcn_build_info(char *text, int32_t capacity, int32_t *length, char *message,
                                    int32_t message_capacity);

/* --- the engine ------------------------------------------------------------------------------------------------- */

/*
 * Creates a model, initialized as torchvision's ResNet, nn.LSTM, nn.Linear and nn.Embedding are unless
 * options->initialization is LRCN_ZERO. Returns NULL on failure, with the code in *status (always filled).
 */
LRCN_EXPORT lrcn_engine *lrcn_engine_create(const lrcn_engine_options *options, int32_t *status, char *message,
                                            int32_t message_capacity);

/* Frees the engine after the call in progress. NULL is allowed. */
LRCN_EXPORT void lrcn_engine_destroy(lrcn_engine *engine);

/*
 * bytes: filled with {in use, peak in use, held from the system} of libtorch's allocator for the engine's device,
 * shared by all engines of the process. length: 3.
 */
LRCN_EXPORT int32_t lrcn_memory(lrcn_engine *engine, int64_t *bytes, int32_t length, char *message,
                                int32_t message_capacity);

/* threads: filled with the number of CPU threads that the engine uses. */
LRCN_EXPORT int32_t lrcn_threads(lrcn_engine *engine, int32_t *threads, char *message, int32_t message_capacity);

/* --- several processes ------------------------------------------------------------------------------------------ */

/*
 * Joins the processes of a group, once all have arrived. Returns NULL on failure, with the code in *status (always
 * filled), which says which ranks did not arrive. Common to the next functions except lrcn_group_destroy: all ranks must
 * make the same calls in the same order, including an engine's training steps; each waits for the others. After
 * LRCN_GROUP_FAILED, another rank is gone or does not answer, and the group cannot be used.
 */
LRCN_EXPORT lrcn_group *lrcn_group_create(const lrcn_group_options *options, int32_t *status, char *message,
                                          int32_t message_capacity);

/* Leaves the group, after its last call has returned. NULL is allowed. */
LRCN_EXPORT void lrcn_group_destroy(lrcn_group *group);

/* values: each summed over all ranks, in place. */
LRCN_EXPORT int32_t lrcn_group_all_reduce(lrcn_group *group, double *values, int64_t length, char *message,
                                          int32_t message_capacity);

/*
 * Gathers the bytes of all ranks, of any lengths: NULL with 0 for none. lengths: filled, [world_size].
 * lrcn_group_gathered then returns the bytes, concatenated by rank.
 */
LRCN_EXPORT int32_t lrcn_group_all_gather(lrcn_group *group, const uint8_t *bytes, int64_t bytes_length,
                                          int64_t *lengths, int32_t world_size, char *message,
                                          int32_t message_capacity);

/* Broadcasts rank 0's bytes; those of others are ignored. length: filled with the length for lrcn_group_gathered. */
LRCN_EXPORT int32_t lrcn_group_broadcast(lrcn_group *group, const uint8_t *bytes, int64_t bytes_length,
                                         int64_t *length, char *message, int32_t message_capacity);

/* bytes: filled with the result of the last collective call, which is then dropped. Does not wait for other ranks. */
LRCN_EXPORT int32_t lrcn_group_gathered(lrcn_group *group, uint8_t *bytes, int64_t bytes_length, char *message,
                                        int32_t message_capacity);

/*
 * Distributes the engine's training steps over the group, whose ranks must have the same parameters: each rank gives
 * its part of the batch, gradients are averaged during the backward pass (c10d's Reducer), and a step's loss and
 * counted targets are those of all ranks. The engine keeps the group alive.
 */
LRCN_EXPORT int32_t lrcn_engine_join(lrcn_engine *engine, lrcn_group *group, char *message, int32_t message_capacity);

/* --- training --------------------------------------------------------------------------------------------------- */

/*
 * Common to the next functions except lrcn_drop_gradients: the batch's images are pixels [images, height, width, 3] or,
 * if the CNN is frozen, features [images, feature size] from lrcn_encode; the other is NULL with length 0.
 * image_of_row [rows], inputs [rows, inputs_length], targets [rows, targets_length].
 */

/*
 * One optimizer step on the mean cross-entropy of the counted targets (those that are not -1); with update 0 a part of
 * one, whose gradients are accumulated until a call has update 1. A call that fails after it has started drops the
 * accumulated gradients; one refused for its arguments does not.
 * crops: [images, 3], {top, left, flipped}: the position of each image's crop, and 1 to flip it horizontally; NULL with
 * length 0 if the shape's crop is 0.
 * row_weights: [rows], factors of the losses of each row, may be negative; the mean is still over the counted targets.
 * NULL with length 0 for 1.
 * result: filled with {mean loss of this batch, counted targets, L2 norm of the gradients before clipping, or 0 without
 * update}; result_length: 3. If the norm is not finite, no parameter or moment has changed. NULL with 0 leaves the
 * numbers on the device, without a synchronization, until lrcn_step_results reads them; until then no step may have a
 * result.
 */
LRCN_EXPORT int32_t lrcn_train_step(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                                    int64_t pixels_length, const float *features, int64_t features_length,
                                    const int32_t *image_of_row, int64_t image_of_row_length, const int32_t *inputs,
                                    int64_t inputs_length, const int32_t *targets, int64_t targets_length,
                                    const int32_t *crops, int64_t crops_length, const float *row_weights,
                                    int64_t row_weights_length, const lrcn_train_options *options, double *result,
                                    int32_t result_length, char *message, int32_t message_capacity);

/*
 * Reads the numbers of all steps whose result was NULL, oldest first: each as in lrcn_train_step.
 * results: filled; capacity: its elements, 3 for each step, else LRCN_INVALID_ARGUMENT and the numbers are kept.
 * steps: filled with their count. At most 4096 can be pending.
 */
LRCN_EXPORT int32_t lrcn_step_results(lrcn_engine *engine, double *results, int64_t capacity, int64_t *steps,
                                      char *message, int32_t message_capacity);

/* Ends a step that has not updated: drops its gradients, and its numbers that lrcn_step_results has not read. */
LRCN_EXPORT int32_t lrcn_drop_gradients(lrcn_engine *engine, char *message, int32_t message_capacity);

/*
 * The same loss as in evaluation: no dropout, label smoothing or sampling, and BatchNorm's running statistics.
 * result: filled with {loss, counted targets}; result_length: 2.
 */
LRCN_EXPORT int32_t lrcn_evaluate_step(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                                       int64_t pixels_length, const float *features, int64_t features_length,
                                       const int32_t *image_of_row, int64_t image_of_row_length, const int32_t *inputs,
                                       int64_t inputs_length, const int32_t *targets, int64_t targets_length,
                                       double *result, int32_t result_length, char *message, int32_t message_capacity);

/*
 * log_probabilities: filled, [rows], the natural logarithm of the probability of each row's counted targets, as in
 * evaluation. length: rows.
 */
LRCN_EXPORT int32_t lrcn_score(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                               int64_t pixels_length, const float *features, int64_t features_length,
                               const int32_t *image_of_row, int64_t image_of_row_length, const int32_t *inputs,
                               int64_t inputs_length, const int32_t *targets, int64_t targets_length,
                               double *log_probabilities, int64_t length, char *message, int32_t message_capacity);

/*
 * A heat map for each token of a caption, as in evaluation: Grad-CAM (Selvaraju et al. 2017,
 * https://arxiv.org/abs/1610.02391) on the CNN's last convolution. The shape's images and rows are 1. Parameters and
 * accumulated gradients do not change.
 * probabilities: filled, [targets_length], of the counted targets, and 0 of the others.
 * heat: filled, [targets_length, ceil(height / 32), ceil(width / 32)], for each counted target and cell of the last
 * convolution's grid: the sum over channels of the activation times the grid mean of the gradient of the
 * target's log-probability to that channel, clamped at 0; and 0 for the other targets.
 */
LRCN_EXPORT int32_t lrcn_explain(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                                 int64_t pixels_length, const int32_t *inputs, int64_t inputs_length,
                                 const int32_t *targets, int64_t targets_length, double *probabilities,
                                 int64_t probabilities_length, double *heat, int64_t heat_length, char *message,
                                 int32_t message_capacity);

/* --- captions --------------------------------------------------------------------------------------------------- */

/* Size of an image's feature, the input of the encoder's last layer: 8 encoder_width (ResNet of basic blocks), 32
 * encoder_width (of bottleneck blocks) or 1280 (EfficientNet-Lite). */
LRCN_EXPORT int32_t lrcn_feature_size(lrcn_engine *engine, int32_t *size, char *message, int32_t message_capacity);

/* features: filled, [images, feature size], as in evaluation. */
LRCN_EXPORT int32_t lrcn_encode(lrcn_engine *engine, int32_t images, int32_t height, int32_t width,
                                const uint8_t *pixels, int64_t pixels_length, float *features, int64_t features_length,
                                char *message, int32_t message_capacity);

/*
 * Starts decoding captions of images with these features [images, feature size]. The decoding keeps the model alive.
 * Returns NULL on failure, with the code in *status (always filled).
 */
LRCN_EXPORT lrcn_decoding *lrcn_decoding_create(lrcn_engine *engine, int32_t images, const float *features,
                                                int64_t features_length, int32_t *status, char *message,
                                                int32_t message_capacity);

/* Frees the state. NULL is allowed. */
LRCN_EXPORT void lrcn_decoding_destroy(lrcn_decoding *decoding);

/*
 * One decoding step: row r continues row parents[r] of the previous step (at the first step: starts with image
 * parents[r]) with tokens[r]. With LRCN_FIRST the first step is the image's own: tokens is NULL. The decoding then has
 * `rows` rows.
 * next_tokens, log_probabilities: filled, [rows, k], the k most probable next tokens of each row, best first, with
 * natural logarithms.
 */
LRCN_EXPORT int32_t lrcn_decode_step(lrcn_decoding *decoding, int32_t rows, const int32_t *parents,
                                     int64_t parents_length, const int32_t *tokens, int64_t tokens_length, int32_t k,
                                     int32_t *next_tokens, int64_t next_tokens_length, float *log_probabilities,
                                     int64_t log_probabilities_length, char *message, int32_t message_capacity);

/* --- images ----------------------------------------------------------------------------------------------------- */

/*
 * Resizes an image [height, width, 3] with an antialiased bilinear filter to a short side of short_side pixels (the
 * long side rounded down), and takes the center crop, as torchvision's Resize and CenterCrop do.
 * stretch: 1: to a square of short_side pixels instead, which changes the aspect ratio; 0: not.
 * cropped: filled, [crop, crop, 3].
 */
LRCN_EXPORT int32_t lrcn_resize_crop(lrcn_engine *engine, int32_t height, int32_t width, const uint8_t *pixels,
                                     int64_t pixels_length, int32_t short_side, int32_t stretch, int32_t crop,
                                     uint8_t *cropped, int64_t cropped_length, char *message, int32_t message_capacity);

/* --- state by name ---------------------------------------------------------------------------------------------- */

/*
 * All tensors as JSON: [{"name", "kind", "dtype", "shape"}], kind one of parameter, buffer, gradient (grad.NAME, of the
 * parameters trained in the last step, until they are dropped), optimizer (adam.exp_avg.NAME, adam.exp_avg_sq.NAME,
 * adam.step.encoder, adam.step.decoder, after the first step or write) and random (rng); dtype one of F64, F32, I64,
 * U8.
 * text: filled if capacity suffices; NULL with 0 returns the length alone. length: filled with its bytes.
 */
LRCN_EXPORT int32_t lrcn_tensors(lrcn_engine *engine, char *text, int64_t capacity, int64_t *length, char *message,
                                 int32_t message_capacity);

/* bytes: filled with the tensor's elements, little-endian, row-major. name: NUL-terminated UTF-8. */
LRCN_EXPORT int32_t lrcn_tensor_read(lrcn_engine *engine, const char *name, uint8_t *bytes, int64_t bytes_length,
                                     char *message, int32_t message_capacity);

/* Sets a tensor to these bytes. Gradients cannot be written. */
LRCN_EXPORT int32_t lrcn_tensor_write(lrcn_engine *engine, const char *name, const uint8_t *bytes,
                                      int64_t bytes_length, char *message, int32_t message_capacity);

#ifdef __cplusplus
}
#endif

#endif
